import MPI
import TestWorld
import Testing

@testable import DataParallel
@testable import Tensors

/// The checksums of single leaves, by which ranks check each other.
@Suite(.serialized, .worldInTurn) struct LeafChecksumTests {
  /// Every leaf has one checksum, for the rank that computes it in a step, whatever its threads and
  /// its place in the run of a worker, and for all others; the sum of the step does not change.
  @Test(
    arguments: [(1, 1, 1), (2, 1, 1), (2, 2, 2), (3, 1, 4)] as [(Int, Int, Int)],
    Precision.allCases)
  func aLeafHasOneChecksum(
    division: (threads: Int, team: Int, accumulation: Int), precision: Precision
  ) throws {
    let (threads, team, accumulation) = division
    let world = try SharedWorld.communicator()
    let replicas = try WideNetwork.replicas(
      world,
      .init(
        microBatches: 8, accumulation: accumulation, threads: threads, team: team,
        precision: precision))
    let compute: @Sendable (WideNetwork, Workspace, Int) throws -> Tensor = {
      $0.loss($1, microBatch: $2)
    }
    let plain = try replicas.gradient(compute).bits
    let again = try (0..<8 / accumulation).map {
      try replicas.checksum(ofLeaf: $0, thread: $0, compute)
    }
    #expect(Set(again).count == again.count)
    // Ranks may have different numbers of leaves, and each step is collective.
    for index in 0..<8 / accumulation {
      let own = replicas.ownLeaves
      let leaf = own.isEmpty ? nil : own.lowerBound + index % own.count
      let gradient = try replicas.gradient(auditing: leaf, compute)
      #expect(gradient.leafChecksum == leaf.map { again[$0] } ?? 0, "leaf \(leaf ?? -1)")
      #expect(gradient.bits == plain)
      _ = try replicas.checksum(ofLeaf: 0, thread: index, compute)
      #expect(gradient.bits == plain)
    }
    let all = try world.allGatherV(again)
    #expect(all.allSatisfy { $0 == again })
  }

  /// Each bit of each parameter counts, and its place; padding does not.
  @Test func everyParameterCounts() throws {
    let layout = SmallNetwork.layout
    let gradient = FlatBuffer(count: layout.count)
    func value() -> UInt64 {
      let checksum = LeafChecksum(of: 0, layout)
      for parameter in layout.entries.indices { checksum.add(parameter, of: gradient) }
      return checksum.value
    }
    var seen: Set<UInt64> = [value()]
    let ranges = layout.entries.map(\.range)
    let places = ranges.flatMap { [$0.lowerBound, $0.lowerBound + 1, $0.upperBound - 1] }
    for place in places {
      for bit in [0, 31] as [UInt32] {
        gradient.elements[place] = Float(bitPattern: 1 << bit)
        #expect(seen.insert(value()).inserted, "bit \(bit) of element \(place)")
        gradient.elements[place] = 0
      }
    }
    let zero = value()
    for place in 0..<layout.count where !ranges.contains(where: { $0.contains(place) }) {
      gradient.elements[place] = 1
    }
    #expect(value() == zero)
  }
}

extension SummedGradient {
  /// The bits of the elements that this rank owns.
  fileprivate var bits: [UInt32] {
    ranges.flatMap { range in range.map { buffer.elements[$0].bitPattern } }
  }
}
