/// A conversation as ids with a loss mask.
package struct EncodedExample: Sendable, Hashable {
  package let ids: [TokenID]
  /// One flag per id, true for what the assistant writes and its end-of-turn token.
  package let lossMask: [Bool]

  package init(ids: [TokenID], lossMask: [Bool]) {
    precondition(
      ids.count == lossMask.count, "\(lossMask.count) flags for \(ids.count) ids")
    self.ids = ids
    self.lossMask = lossMask
  }
}
