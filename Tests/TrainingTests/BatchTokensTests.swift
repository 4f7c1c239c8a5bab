import Datasets
import Testing

@testable import Training

/// The tokens of a batch, for tokens per second, are those that are not padding.
@Suite struct BatchTokensTests {
  @Test func everyTokenOfAWindowCounts() {
    #expect(Batch(sequences: 3, context: 7).tokens == 21)
  }

  /// 100 tokens are padded to 100, 101 tokens to 104: a multiple of 64 ÷ 16.
  @Test(arguments: [[60, 40], [60, 41], [1]]) func paddingOfExamplesDoesNotCount(lengths: [Int]) {
    var batch = Batch()
    batch.begin(examples: lengths, padding: 0)
    #expect(batch.tokens == lengths.reduce(0, +))
    if lengths == [60, 41] { #expect(batch.inputs.count == 104) }
  }

  @Test func paddingOfSourcesAndTargetsDoesNotCount() {
    var batch = Batch(sequences: 2, context: 5)
    batch.sources = [1, 2, 3, 0, 1, 0, 0, 0]
    batch.sourceLengths = [3, 1]
    for place in [0, 1, 5, 6, 7] { batch.weights[place] = 1 }
    #expect(batch.tokens == 4 + 5)
  }
}
