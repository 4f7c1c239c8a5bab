import DataParallel
import Faults
import MPI
import RandomNumbers
import Tensors

/// The recomputation of gradients on other ranks, which finds machines that compute wrongly.
///
/// Only ranks that compute the same bits can check each other so. In every `every`-th step each rank
/// computes the gradient of one leaf of another rank again, all at the same time, before the weights
/// change. A rank's leaves take turns, from one that the seed chooses, and the threads that recompute
/// take turns too: a machine that is always wrong is found within `every` steps, and one of its cores
/// within that many for each leaf of the rank.
final class GradientAudit {
  private let every: Int
  private let seed: UInt64
  private let hosts: [String]
  private let pairs: AuditPairs
  private let replicas: DataParallel<Replica>

  /// Pairs the ranks by their hosts; nil without audits.
  ///
  /// Collective.
  init?(_ plan: TrainingPlan, of replicas: DataParallel<Replica>) throws {
    guard plan.audit.every > 0 else { return nil }
    self.replicas = replicas
    (every, seed) = (plan.audit.every, plan.seed)
    hosts = try replicas.world.allGatherV(Array(try Communicator.hostName.utf8))
      .map { String(decoding: $0, as: UTF8.self) }
    pairs = AuditPairs(hosts: hosts)
  }

  /// Returns the leaf of this rank that `step`, from 1, audits; nil for none.
  func leaf(ofStep step: Int) -> Int? {
    step % every == 0 ? leaf(of: replicas.world.rank, step: step) : nil
  }

  /// Returns the leaf of `rank` that `step` audits; nil for a rank without leaves.
  private func leaf(of rank: Int, step: Int) -> Int? {
    Self.leaf(of: replicas.leaves(of: rank), rank: rank, audit: step / every, seed: seed)
  }

  /// Returns the leaf of `own`, those of `rank`, in the audit of this number; nil without leaves.
  static func leaf(of own: Range<Int>, rank: Int, audit: Int, seed: UInt64) -> Int? {
    guard !own.isEmpty else { return nil }
    let start = RandomStream(seed: seed, purpose: .audit, rank).word(0)
    return own.lowerBound + (Int(start) + audit) % own.count
  }

  /// Compares this step's gradients with those that other ranks compute now.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - step: The step, from 1.
  ///   - checksum: The checksum of the leaf of `leaf(ofStep:)`, in a step that is due; nil to audit
  ///     any other step, for which this rank computes its own leaf again too.
  ///   - compute: The loss of a micro-batch, without other effects.
  /// - Throws: `CorruptedGradient`, on every rank, when one differs.
  func check(
    step: Int, checksum: UInt64?,
    _ compute: @escaping @Sendable (Replica, Workspace, Int) throws -> Tensor
  ) throws {
    if step % every != 0 && checksum != nil { return }
    FaultSchedule.reach(.audit)
    let world = replicas.world
    let recompute = { [replicas, pairs] (rank: Int) throws -> UInt64 in
      guard let leaf = self.leaf(of: rank, step: step) else { return 0 }
      // A single rank checks itself with the thread after the one that had the leaf.
      let isOwn = pairs.auditors[rank] == rank
      let place = leaf - replicas.leaves(of: rank).lowerBound
      return try replicas.checksum(
        ofLeaf: leaf, thread: isOwn ? place + 1 : step / self.every, compute)
    }
    let checksums = [
      try checksum ?? recompute(world.rank), try recompute(pairs.audited[world.rank]),
    ]
    try world.awaitAll()
    let sums = try world.allGather(checksums)
    let (own, second) = (
      hosts.indices.map { sums[2 * $0] },
      hosts.indices.map { sums[2 * pairs.auditors[$0] + 1] }
    )
    guard let rank = hosts.indices.first(where: { own[$0] != second[$0] }) else { return }
    // Both compute again, and a third rank decides.
    let (auditor, judge) = (pairs.auditors[rank], pairs.judges[rank])
    let isWitness = [rank, auditor, judge].contains(world.rank)
    let third = isWitness ? try recompute(rank) : 0
    try world.awaitAll()
    let again = try world.allGather([third])
    let witnesses =
      rank == auditor
      ? [AuditDispute.Witness(rank: rank, checksums: [own[rank], second[rank], again[rank]])]
      : [
        .init(rank: rank, checksums: [own[rank], again[rank]]),
        .init(rank: auditor, checksums: [second[rank], again[auditor]]),
      ] + (judge.map { [.init(rank: $0, checksums: [again[$0]])] } ?? [])
    let dispute = AuditDispute(witnesses: witnesses)
    throw CorruptedGradient(
      step: step, ranks: dispute.suspects.map { "rank \($0) on \(hosts[$0])" },
      isDecided: dispute.isDecided, confirmed: (step - 1) / every * every)
  }
}

/// The gradient of a micro-batch differs between two ranks that computed it, although both make the
/// same arithmetic: memory or a core of a host computes wrongly.
package struct CorruptedGradient: Error, Equatable, Sendable, CustomStringConvertible {
  /// The step, from 1, which is discarded.
  package let step: Int
  /// The ranks that computed wrongly, with their hosts; all that may have, where none is known.
  package let ranks: [String]
  /// True when the ranks are known to have computed wrongly.
  package let isDecided: Bool
  /// The step of the scheduled audit before, which found no difference; 0 for none.
  package let confirmed: Int

  package init(step: Int, ranks: [String], isDecided: Bool, confirmed: Int) {
    (self.step, self.ranks) = (step, ranks)
    (self.isDecided, self.confirmed) = (isDecided, confirmed)
  }

  /// One sentence: what, where, why, what to do.
  package var description: String {
    let names = ranks.joined(separator: ", ")
    let verdict =
      isDecided
      ? "\(names) computed a wrong gradient in step \(step), as the same computation elsewhere shows"
      : "\(names) computed different gradients of the same examples in step \(step), and no other "
        + "rank can tell which is right"
    return
      "\(verdict): memory or a core of the host computes wrongly; start the same command again "
      + "without that host, which resumes from the newest checkpoint that is left"
  }
}
