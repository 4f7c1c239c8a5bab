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
}

extension SummedGradient {
  /// The bits of the elements that this rank owns.
  fileprivate var bits: [UInt32] {
    ranges.flatMap { range in range.map { buffer.elements[$0].bitPattern } }
  }
}
