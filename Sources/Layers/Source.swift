/// What the encoder of an encoder–decoder reads: a source for every sequence, all of one length, padded
/// at their ends.
public struct Source: Sendable {
  /// Source after source, [sequences · length].
  public let ids: [Int32]
  /// Tokens of every source that are no padding, each at least 1, [sequences].
  public let lengths: [Int32]

  /// See the properties.
  public init(ids: [Int32], lengths: [Int32]) {
    precondition(
      !lengths.isEmpty && ids.count % lengths.count == 0
        && lengths.allSatisfy { (1...max(1, ids.count / lengths.count)).contains(Int($0)) },
      "\(ids.count) ids of sources of lengths \(lengths)")
    self.ids = ids
    self.lengths = lengths
  }

  /// The lengths, or none where no source is padded.
  public var keyLengths: [Int32] {
    let length = Int32(ids.count / lengths.count)
    return lengths.allSatisfy { $0 == length } ? [] : lengths
  }
}
