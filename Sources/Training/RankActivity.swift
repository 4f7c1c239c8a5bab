import MPI
import Synchronization

/// The work that this rank does now, written by the thread that does it and read by the watchdog.
package final class RankActivity: Sendable {
  /// A part of a run whose progress has a limit of its own.
  package enum Phase: UInt8, Sendable, CaseIterable {
    /// Completions are sampled and scored, or data is prepared.
    case preparation
    /// Forward and backward passes, with the exchange of the gradient.
    case gradient
    /// The exchange of losses and the update of the weights.
    case update
    /// The time between steps, in which checkpoints begin.
    case boundary
    case evaluation
    /// A checkpoint is finished while no step is computed.
    case saving

    /// The noun phrase of a sentence.
    var words: String {
      switch self {
      case .preparation: "the preparation"
      case .gradient: "the forward and backward passes"
      case .update: "the update"
      case .boundary: "the time after the update"
      case .evaluation: "the evaluation"
      case .saving: "the save"
      }
    }
  }

  private let phase = Atomic<UInt8>(Phase.boundary.rawValue)
  private let step = Atomic<Int>(0)
  private let ticks = Atomic<Int>(0)
  private let isSaving = Atomic<Bool>(false)

  package init() {}

  /// Records that work on `phase` of `step`, from 1, begins.
  func begin(_ phase: Phase, step: Int) {
    self.phase.store(phase.rawValue, ordering: .relaxed)
    self.step.store(step, ordering: .relaxed)
    tick()
  }

  /// Records that the work has progressed, such as by a micro-batch; any thread may call it.
  func tick() { ticks.wrappingAdd(1, ordering: .relaxed) }

  /// Records whether a checkpoint is being written or published.
  func setSaving(_ isSaving: Bool) { self.isSaving.store(isSaving, ordering: .relaxed) }

  /// The activity now, as it is told to the other ranks.
  ///
  /// - Parameters:
  ///   - rank: This rank.
  ///   - beat: A number that grows from sign to sign.
  func sign(of rank: Int, on host: String, process: Int32, beat: Int) -> RankSign {
    let collective = CollectiveProgress.now
    return RankSign(
      rank: rank, host: host, process: process, beat: beat,
      phase: phase.load(ordering: .relaxed), step: step.load(ordering: .relaxed),
      ticks: ticks.load(ordering: .relaxed), collectives: collective.begun,
      function: collective.function, isSaving: isSaving.load(ordering: .relaxed))
  }
}
