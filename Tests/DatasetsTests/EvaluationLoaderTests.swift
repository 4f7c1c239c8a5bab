import Testing
import Tokenizers

@testable import Datasets

struct EvaluationLoaderTests {
  @Test func everyTokenIsATargetOnce() throws {
    for tokenCount in [1, 2, 7, 8, 23, 24, 25, 100] {
      for (context, sequences) in [(4, 2), (8, 3), (1, 1), (64, 1)] {
        let loader = try EvaluationLoader(
          tokens: counting(tokenCount), context: context, sequences: sequences)
        let end = TokenID(tokenCount)
        var batch = Batch(sequences: sequences, context: context)
        var targets: [TokenID] = []
        for index in 0..<loader.batchCount {
          try loader.fill(&batch, index: index)
          for i in batch.weights.indices {
            if batch.weights[i] == 1 {
              targets.append(batch.targets[i])
              #expect(batch.inputs[i] == (batch.targets[i] == 0 ? end : batch.targets[i] - 1))
            } else {
              #expect(batch.weights[i] == 0)
              #expect(batch.inputs[i] == end && batch.targets[i] == end)
            }
          }
        }
        #expect(targets == (0..<end).map { $0 })
        let size = context * sequences
        #expect(loader.batchCount == (tokenCount + size - 1) / size)
      }
    }
  }

  @Test func aLimitSpacesBatchesEvenly() throws {
    func starts(limit: Int) throws -> [Int] {
      let loader = try EvaluationLoader(
        tokens: counting(1_000), context: 5, sequences: 2, tokenLimit: limit)
      return (0..<loader.batchCount).map { loader.targetRange(ofBatch: $0).lowerBound }
    }
    #expect(try starts(limit: 40) == [0, 250, 500, 750])
    #expect(try starts(limit: 49) == [0, 250, 500, 750])
    #expect(try starts(limit: 1) == [0])
    #expect(try starts(limit: 990).count == 99)
    #expect(try Set(starts(limit: 990)).count == 99)
    #expect(try starts(limit: 5_000).count == 100)
  }

  @Test func documentsAreIsolated() throws {
    let end: TokenID = 9
    let tokens = TokenStream([1, 2, end, 3, end, 4, 5], vocabularySize: 10, endOfText: end)
    let loader = try EvaluationLoader(
      tokens: tokens, context: 3, sequences: 3, isolatesDocuments: true)
    var batch = Batch(sequences: 3, context: 3)
    try loader.fill(&batch, index: 0)
    #expect(batch.inputs == [end, 1, 2, end, 3, end, 4, end, end])
    #expect(batch.starts == [0, 0, 0, 0, 0, 2, 0, 1, 2])
  }

  @Test func documentsBeginWithTheTokenThatBeginsATextAndMayHaveNoEnd() throws {
    let (end, beginning): (TokenID, TokenID) = (9, 8)
    let tokens = TokenStream([1, 2, end, 3, end], vocabularySize: 10, endOfText: end)
    for countsEnds in [true, false] {
      let loader = try EvaluationLoader(
        tokens: tokens, context: 3, sequences: 2, isolatesDocuments: true, beginning: beginning,
        countsEnds: countsEnds)
      var batch = Batch(sequences: 2, context: 3)
      try loader.fill(&batch, index: 0)
      #expect(batch.inputs == [beginning, 1, 2, beginning, 3, beginning])
      #expect(batch.targets == [1, 2, end, 3, end, end])
      #expect(batch.starts == [0, 0, 0, 0, 0, 2])
      #expect(batch.weights == (countsEnds ? [1, 1, 1, 1, 1, 0] : [1, 1, 0, 1, 0, 0]))
    }
  }

  /// A short text costs what it has, not a batch of whole windows.
  @Test func aBatchHasTheWindowsThatThereAre() throws {
    func shapes(_ count: Int) throws -> [[Int]] {
      let loader = try EvaluationLoader(tokens: counting(count), context: 64, sequences: 4)
      var batch = Batch()
      return try (0..<loader.batchCount).map { index in
        try loader.fill(&batch, index: index)
        #expect(batch.weights.reduce(0, +) == Float(loader.targetRange(ofBatch: index).count))
        return [batch.sequences, batch.context]
      }
    }
    #expect(try shapes(12) == [[1, 12]])
    #expect(try shapes(64) == [[1, 64]])
    #expect(try shapes(65) == [[2, 64]])
    #expect(try shapes(4 * 64 + 33) == [[4, 64], [1, 34]])
  }

  @Test func anEmptyStreamIsRefused() {
    #expect(throws: DatasetError.nothingToEvaluate) {
      try EvaluationLoader(tokens: counting(0), context: 4, sequences: 1)
    }
  }

  @Test func bytesPerTokenAddUpToTheText() throws {
    let table = try Bytes(vocabularySize: 259).bytesPerToken()
    #expect(table.count == 259)
    #expect(table[..<256].allSatisfy { $0 == 1 } && table[256...].allSatisfy { $0 == 0 })
  }
}
