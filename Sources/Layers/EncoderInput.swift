/// The encoder input of an encoder–decoder: one source per sequence, all padded at their ends to
/// one length.
package struct EncoderInput: Sendable {
  /// The token ids, source after source, [sequences · length].
  package let ids: [Int32]
  /// The number of tokens of every source without its padding, each at least 1, [sequences].
  package let lengths: [Int32]

  package init(ids: [Int32], lengths: [Int32]) {
    precondition(
      !lengths.isEmpty && ids.count % lengths.count == 0
        && lengths.allSatisfy { (1...max(1, ids.count / lengths.count)).contains(Int($0)) },
      "\(ids.count) ids for sources of lengths \(lengths)")
    self.ids = ids
    self.lengths = lengths
  }

  /// The lengths for attention's key mask; empty when no source is padded.
  package var keyLengths: [Int32] {
    let length = Int32(ids.count / lengths.count)
    return lengths.allSatisfy { $0 == length } ? [] : lengths
  }
}
