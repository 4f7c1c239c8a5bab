import MPI

/// One tally per index, filled by whoever computes it.
public final class TallySlots: @unchecked Sendable {
  // Sendable: every slot has one writer, and readers come after the pool's wait.
  private let slots: UnsafeMutableBufferPointer<Tally>

  /// `count` empty tallies.
  public init(count: Int) {
    slots = .allocate(capacity: count)
    slots.initialize(repeating: Tally())
  }

  deinit {
    slots.deallocate()
  }

  /// The tally of `index`.
  public subscript(index: Int) -> Tally {
    get { slots[index] }
    set { slots[index] = newValue }
  }

  /// All tallies in order, each taken from the rank that filled it.
  ///
  /// Collective.
  public func gathered(over world: Communicator, owner: (Int) -> Int) throws -> [Tally] {
    let own = slots.flatMap { [$0.sum, $0.count] }
    let everyone = try world.allGather(own)
    return slots.indices.map { index in
      let place = owner(index) * own.count + 2 * index
      return Tally(sum: everyone[place], count: everyone[place + 1])
    }
  }
}
