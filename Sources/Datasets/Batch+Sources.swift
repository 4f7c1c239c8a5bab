import Tokenizers

extension Batch {
  /// Fills `row`, the next one, with a source and a target: its ids are predicted one after another,
  /// the first after `start`.
  ///
  /// - Parameters:
  ///   - sources: Places that every source of the batch has.
  ///   - padding: Fills up both; what follows a target weighs nothing.
  mutating func fill(
    row: Int, source: [TokenID], target: [TokenID], sources: Int, start: TokenID,
    padding: TokenID
  ) {
    precondition(
      1...sources ~= source.count && target.count <= context && sourceLengths.count == row,
      "a source of \(source.count) tokens in \(sources) places, a target of \(target.count) in "
        + "\(context), row \(row) after \(sourceLengths.count)")
    self.sources += source
    self.sources += repeatElement(padding, count: sources - source.count)
    sourceLengths.append(Int32(source.count))
    let first = row * context
    for place in 0..<context {
      let isTarget = place < target.count
      inputs[first + place] =
        place == 0 ? start : place <= target.count ? target[place - 1] : padding
      targets[first + place] = isTarget ? target[place] : padding
      weights[first + place] = isTarget ? 1 : 0
    }
  }
}
