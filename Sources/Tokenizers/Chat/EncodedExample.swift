/// A conversation as ids, with what of it is learned.
public struct EncodedExample: Sendable, Hashable {
  /// The ids.
  public let ids: [TokenID]
  /// For each id whether it is learned: the assistant's content and the end of its turn.
  public let isTrained: [Bool]

  /// The example of `ids`, learned where `isTrained`, one flag for each id.
  public init(ids: [TokenID], isTrained: [Bool]) {
    precondition(
      ids.count == isTrained.count, "\(isTrained.count) flags for \(ids.count) ids")
    self.ids = ids
    self.isTrained = isTrained
  }
}
