import MPI
import Tensors

extension DataParallel {
  /// Runs `body` once per index in 0 ..< `count` over all workers of all ranks and gives every rank
  /// the numbers that it returned, in the order of the indices.
  ///
  /// For generation and scoring: nothing is recorded. Collective.
  ///
  /// - Parameter body: Returns as many numbers as it likes, of any type of fixed layout.
  public func collected<Number: MPIScalar>(
    count: Int,
    _ body:
      @escaping @Sendable (_ replica: Replica, _ workspace: Workspace, _ index: Int) throws
      -> [Number]
  ) throws -> [[Number]] {
    let lanes = world.size * plan.threads
    let results = Slots<[Number]>(repeating: [], count: count)
    try pool.run { [self] thread in
      let lane = world.rank * plan.threads + thread
      for index in stride(from: lane, to: count, by: lanes) {
        results[index] = try body(workers[thread].replica, workers[thread].workspace, index)
      }
    }
    // Index i is computed on lane i mod lanes; a rank sends its own in ascending order.
    let owner = { [plan] (index: Int) in index % lanes / plan.threads }
    let own = (0..<count).filter { owner($0) == world.rank }
    let counts = try world.allGatherV(own.map { Int64(results[$0].count) })
    let numbers = try world.allGatherV(own.flatMap { results[$0] })
    var places = [(item: Int, number: Int)](repeating: (0, 0), count: world.size)
    return (0..<count).map { index in
      let rank = owner(index)
      let length = Int(counts[rank][places[rank].item])
      let start = places[rank].number
      places[rank] = (places[rank].item + 1, start + length)
      return Array(numbers[rank][start..<start + length])
    }
  }
}

/// A value per index, filled by whoever computes it.
private final class Slots<Value>: @unchecked Sendable {
  // Sendable: every slot has one writer, and readers come after the pool's wait.
  private let slots: UnsafeMutableBufferPointer<Value>

  init(repeating value: Value, count: Int) {
    slots = .allocate(capacity: count)
    slots.initialize(repeating: value)
  }

  deinit {
    slots.deinitialize()
    slots.deallocate()
  }

  subscript(index: Int) -> Value {
    get { slots[index] }
    set { slots[index] = newValue }
  }
}
