import MPI

/// A value per index.
///
/// The worker that computes an index writes its slot.
package final class Slots<Value>: @unchecked Sendable {
  // Sendable: every slot has one writer, and slots are read only after the pool's wait.
  fileprivate let slots: UnsafeMutableBufferPointer<Value>

  /// Makes `count` slots with the value `value`.
  package init(repeating value: Value, count: Int) {
    slots = .allocate(capacity: count)
    slots.initialize(repeating: value)
  }

  deinit {
    slots.deinitialize()
    slots.deallocate()
  }

  /// The value of `index`.
  package subscript(index: Int) -> Value {
    get { slots[index] }
    set { slots[index] = newValue }
  }
}

/// A tally per index.
package typealias TallySlots = Slots<Tally>

extension TallySlots {
  /// Makes `count` empty tallies.
  package convenience init(count: Int) {
    self.init(repeating: Tally(), count: count)
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
