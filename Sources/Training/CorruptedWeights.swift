import MPI

/// The weights on some rank differ from those of the others, although all ranks make the same
/// arithmetic: memory, a core or the network of its host has changed bits.
///
/// The trained weights in fp32 are compared, not their copy in bf16 or the frozen base of LoRA.
package struct CorruptedWeights: Error, Equatable, Sendable, CustomStringConvertible {
  /// The step that was computed with these weights, or the last one, after which they are saved.
  package let step: Int
  /// The ranks that differ from the majority, with their hosts; all ranks where no majority agrees.
  package let ranks: [String]
  /// True when a majority of the ranks agrees.
  package let hasMajority: Bool

  package init(step: Int, ranks: [String], hasMajority: Bool) {
    (self.step, self.ranks, self.hasMajority) = (step, ranks, hasMajority)
  }

  /// One sentence: what, where, why, what to do.
  package var description: String {
    let names = ranks.joined(separator: ", ")
    let verdict =
      hasMajority
      ? "\(names) computed at step \(step) with other weights than the majority of the ranks"
      : "\(names) computed at step \(step) with different weights, and no majority agrees"
    return
      "\(verdict): memory, a core or the network of the host changes bits; start the same command "
      + "again without that host, which resumes from the newest checkpoint"
  }
}

extension Communicator {
  /// Throws when the ranks' weights are not equal, by their checksums in `words`.
  ///
  /// Collective when they are not.
  ///
  /// - Throws: `CorruptedWeights`, on every rank.
  func requireEqualWeights(_ words: [ControlWord], step: Int) throws {
    try requireEqualWeights(words.map(\.weights), of: 0..<size, step: step)
  }

  /// Throws when the weights of `ranks` are not equal, by their `checksums`.
  ///
  /// Collective over all ranks, with the same arguments, when they are not.
  ///
  /// - Throws: `CorruptedWeights`, on every rank.
  func requireEqualWeights(_ checksums: [Int], of ranks: Range<Int>, step: Int) throws {
    guard let first = checksums.first, checksums.contains(where: { $0 != first }) else { return }
    let counts = Dictionary(grouping: checksums, by: \.self).mapValues(\.count)
    let majority = counts.first { 2 * $0.value > checksums.count }?.key
    let hosts = try allGatherV(Array(try Communicator.hostName.utf8))
      .map { String(decoding: $0, as: UTF8.self) }
    let wrong = zip(ranks, checksums).filter { $1 != majority }.map(\.0)
    throw CorruptedWeights(
      step: step, ranks: wrong.map { "rank \($0) on \(hosts[$0])" }, hasMajority: majority != nil)
  }
}
