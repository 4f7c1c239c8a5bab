import MPI

/// A tally per index.
///
/// The worker that computes an index writes its slot.
package final class TallySlots: @unchecked Sendable {
  // Sendable: every slot has one writer, and slots are read only after the pool's wait.
  private let slots: UnsafeMutableBufferPointer<Tally>

  /// Makes `count` empty tallies.
  package init(count: Int) {
    slots = .allocate(capacity: count)
    slots.initialize(repeating: Tally())
  }

  deinit {
    slots.deallocate()
  }

  /// The tally of `index`.
  package subscript(index: Int) -> Tally {
    get { slots[index] }
    set { slots[index] = newValue }
  }

  /// Returns all tallies in order on every rank, each from the rank that computed it.
  ///
  /// Collective.
  ///
  /// - Parameter owner: Returns the rank that computed an index.
  package func gathered(over world: Communicator, owner: (Int) -> Int) throws -> [Tally] {
    let own = slots.flatMap { [$0.sum, $0.count] }
    let everyone = try world.allGather(own)
    return slots.indices.map { index in
      let place = owner(index) * own.count + 2 * index
      return Tally(sum: everyone[place], count: everyone[place + 1])
    }
  }
}
