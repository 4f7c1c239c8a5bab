// "Faults that a test asks for, at exact places. Knows only the names of places."

/// A fault of one process, at one place of the program.
///
/// The environment variable `APUS_FAULT` holds them, separated by semicolons. It is for tests of
/// recovery: an exact fault is cheaper than a random one, and reaches places that last microseconds.
///
/// ```
/// APUS_FAULT=kill@rank=2,step=17,phase=exchange
/// APUS_FAULT='fail=ENOSPC@phase=write,times=3; delay=5@rank=1,step=20'
/// ```
///
/// A fault is an action, its value after `=`, and after `@` the conditions of its place. A condition
/// that is left out always holds, but the phase is then `forward`, and the fault happens once.
package struct InjectedFault: Sendable, Equatable {
  /// The harm that a fault does.
  package enum Action: Sendable, Equatable {
    /// Sends the process SIGKILL.
    case kill
    /// Sends the process SIGSTOP, so that it freezes.
    case stop
    /// Ends the process with this exit code.
    case exit(Int32)
    /// Delays the thread by so many seconds.
    case delay(Double)
    /// Fails the write at the place with this `errno`.
    case fail(Int32)
    /// Inverts bit `bit`, from 0, of an element, modulo the number of elements.
    case flip(element: Int, bit: Int)
  }

  /// A place where the program looks for a fault.
  package enum Phase: String, Sendable, CaseIterable {
    /// The start, before the ranks join each other.
    case join
    /// The start, before the ranks compare their commands.
    case start
    /// The preparation of data and weights, before the first step.
    case preparation
    /// The beginning of a micro-batch.
    case forward
    /// The gradient of a parameter that a micro-batch, or the last one added to it, completes.
    case backward
    /// The sum of the first bucket of the gradient over all ranks.
    case exchange
    /// The recomputation of gradients on other ranks.
    case audit
    /// The update of the weights.
    case optimizer
    /// The agreement of DiLoCo's workers on the weights, at the end of a round.
    case agreement
    /// The beginning of a save.
    case snapshot
    /// The writing of a checkpoint's files.
    case write
    /// The publication of a checkpoint, on rank 0.
    case publish
    /// The beginning of an evaluation.
    case evaluation
    /// The removal of undone checkpoints, before the record of it is written, on rank 0.
    case rollback
  }

  package let action: Action
  /// The place, by default the first one of a step.
  package var phase = Phase.forward
  /// The rank; nil for every rank.
  package var rank: Int?
  /// The step, from 1, that is computed, saved or evaluated; nil for the first that comes.
  package var step: Int?
  /// The attempt of the run, from 1; nil for every attempt.
  package var attempt: Int?
  /// The number of times that a process does it.
  package var times = 1
}
