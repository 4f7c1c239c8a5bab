import Tokenizers

extension Batch {
  /// Fills `row`, which must be the next one, with an encoder input (source) and a decoder target.
  ///
  /// The decoder inputs are the targets shifted right by one, the first being `start`.
  ///
  /// - Parameters:
  ///   - sourceContext: The padded length of every source of the batch, in tokens.
  ///   - padding: The id that pads source and target; padded targets have weight 0.
  mutating func fill(
    row: Int, source: [TokenID], target: [TokenID], sourceContext: Int, start: TokenID,
    padding: TokenID
  ) {
    precondition(
      1...sourceContext ~= source.count && target.count <= context && sourceLengths.count == row,
      "a source of \(source.count) tokens in \(sourceContext) places, a target of \(target.count) in "
        + "\(context), row \(row) after \(sourceLengths.count)")
    self.sources += source
    self.sources += repeatElement(padding, count: sourceContext - source.count)
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
