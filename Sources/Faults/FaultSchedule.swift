import Glibc
import Synchronization

/// The faults that this process will have; empty unless `APUS_FAULT` is set.
///
/// Without faults, a place costs one load of a flag.
package enum FaultSchedule {
  private struct State {
    var faults: [InjectedFault] = []
    var rank = 0
    var step = 0
    var attempt = 0
  }

  private static let isActive = Atomic<Bool>(false)
  private static let state = Mutex(State())

  /// Takes the faults of `APUS_FAULT`, at the start of the program.
  ///
  /// - Parameter rank: The rank under `mpirun`, else 0.
  package static func prepare(rank: Int) throws(FaultSyntaxError) {
    guard let text = getenv("APUS_FAULT") else { return }
    set(try InjectedFault.list(String(cString: text)), rank: rank)
  }

  /// Replaces the faults.
  package static func set(_ faults: [InjectedFault], rank: Int) {
    state.withLock { $0 = State(faults: faults, rank: rank) }
    isActive.store(!faults.isEmpty, ordering: .relaxed)
  }

  /// Records the number of the attempt, from 1, whose steps follow.
  package static func begin(attempt: Int) { state.withLock { $0.attempt = attempt } }

  /// Records the number of the step, from 1, that is computed now.
  package static func begin(step: Int) {
    guard isActive.load(ordering: .relaxed) else { return }
    state.withLock { $0.step = step }
  }

  /// Does the faults of this place.
  ///
  /// - Parameter step: The step that is saved or evaluated; nil for the one that is computed.
  /// - Returns: The `errno` with which a write at this place has to fail; nil without such a fault.
  @discardableResult
  package static func reach(_ phase: InjectedFault.Phase, step: Int? = nil) -> Int32? {
    var failure: Int32?
    for action in due(phase, step: step, where: { if case .flip = $0 { false } else { true } }) {
      switch action {
      case .kill: Glibc.kill(getpid(), SIGKILL)
      case .stop: Glibc.kill(getpid(), SIGSTOP)
      case .exit(let code): _exit(code)
      case .delay(let seconds):
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end { usleep(10_000) }
      case .fail(let code): failure = failure ?? code
      case .flip: break
      }
    }
    return failure
  }

  /// Inverts the bits of `elements` that the faults of this place name.
  package static func reach(
    _ phase: InjectedFault.Phase, flippingIn elements: UnsafeMutableBufferPointer<Float>
  ) {
    for action in due(phase, step: nil, where: { if case .flip = $0 { true } else { false } }) {
      guard case .flip(let element, let bit) = action, !elements.isEmpty else { continue }
      let place = element % elements.count
      elements[place] = Float(bitPattern: elements[place].bitPattern ^ (1 << UInt32(bit)))
    }
  }

  /// Returns the actions whose place this is, and counts them as done.
  private static func due(
    _ phase: InjectedFault.Phase, step: Int?, where applies: (InjectedFault.Action) -> Bool
  ) -> [InjectedFault.Action] {
    guard isActive.load(ordering: .relaxed) else { return [] }
    return state.withLock { state in
      var due: [InjectedFault.Action] = []
      let current = step ?? state.step
      for index in state.faults.indices {
        let fault = state.faults[index]
        guard fault.times > 0, fault.phase == phase, applies(fault.action),
          fault.rank ?? state.rank == state.rank,
          fault.step ?? current == current, fault.attempt ?? state.attempt == state.attempt
        else { continue }
        state.faults[index].times -= 1
        due.append(fault.action)
      }
      return due
    }
  }
}
