import Testing
import Tokenizers

@testable import Datasets

struct TrainingLoaderTests {
  @Test func everyWindowOfAnEpochIsVisitedOnce() throws {
    for tokenCount in [5, 6, 7, 8, 9, 100, 401, 402, 403, 404] {
      let context = 4
      let order = try WindowOrder(tokenCount: tokenCount, context: context, seed: 1)
      let windows = order.windowsPerEpoch
      #expect(windows == max(1, (tokenCount - context) / context))
      for epoch in 0..<6 {
        let starts = (0..<windows).map { order.start(ofSample: epoch * windows + $0) }.sorted()
        let offset = starts[0]
        #expect(0..<context ~= offset)
        #expect(starts == (0..<windows).map { offset + $0 * context })
        #expect((starts.last ?? 0) + context < tokenCount)
      }
    }
  }

  @Test func everyOffsetIsUsed() throws {
    let order = try WindowOrder(tokenCount: 1_003, context: 8, seed: 5)
    let offsets = Set((0..<200).map { order.start(ofSample: $0 * order.windowsPerEpoch) % 8 })
    #expect(offsets == Set(0..<8))
  }

  @Test func epochsAndSeedsDiffer() throws {
    func starts(seed: UInt64, epoch: Int) throws -> [Int] {
      let order = try WindowOrder(tokenCount: 5_000, context: 10, seed: seed)
      return (0..<order.windowsPerEpoch).map {
        order.start(ofSample: epoch * order.windowsPerEpoch + $0)
      }
    }
    let first = try starts(seed: 1, epoch: 0)
    #expect(try first == starts(seed: 1, epoch: 0))
    #expect(try first != starts(seed: 1, epoch: 1))
    #expect(try first != starts(seed: 2, epoch: 0))
    #expect(first != first.sorted())
  }

  @Test func theOrderMatchesTheGoldenValues() throws {
    // Golden values: a run resumed by a later version must get the windows that it would have had.
    let order = try WindowOrder(tokenCount: 1_000, context: 10, seed: 42)
    #expect((0..<8).map { order.start(ofSample: $0) } == [287, 647, 327, 877, 547, 767, 477, 867])
    #expect((0..<4).map { order.start(ofSample: 1_000_000 + $0) } == [135, 75, 125, 145])
  }

  @Test func targetsAreInputsShiftedByOne() throws {
    let loader = try TrainingLoader(
      tokens: counting(500), context: 7, sequences: 3, microBatches: 4, seed: 9)
    var batch = Batch(sequences: 3, context: 7)
    batch.weights[5] = 0
    for step in 0..<20 {
      for microBatch in 0..<4 {
        try loader.fill(&batch, step: step, microBatch: microBatch)
        for row in 0..<3 {
          let start = loader.order.start(ofSample: (step * 4 + microBatch) * 3 + row)
          for t in 0..<7 {
            #expect(batch.inputs[row * 7 + t] == TokenID(start + t))
            #expect(batch.targets[row * 7 + t] == TokenID(start + t + 1))
          }
        }
        #expect(batch.weights.allSatisfy { $0 == 1 })
      }
    }
  }

  @Test func batchesDoNotDependOnTheWorldSize() throws {
    let tokens = counting(2_000)
    func loader() throws -> TrainingLoader {
      try TrainingLoader(tokens: tokens, context: 16, sequences: 2, microBatches: 8, seed: 3)
    }
    /// Workers 0..<world each fill their range of micro-batches with a separate loader and a reused
    /// batch, the last worker first; the steps from `resumed` on simulate a second process.
    func batches(world: Int, resumed: Int) throws -> [[Batch]] {
      var steps = [[Batch]](
        repeating: [Batch](repeating: Batch(sequences: 2, context: 16), count: 8), count: 40)
      for steps40 in [0..<resumed, resumed..<40] {
        for worker in (0..<world).reversed() {
          let own = try loader()
          var batch = Batch(sequences: 2, context: 16)
          for step in steps40 {
            for microBatch in worker * 8 / world..<(worker + 1) * 8 / world {
              try own.fill(&batch, step: step, microBatch: microBatch)
              steps[step][microBatch] = batch
            }
          }
        }
      }
      return steps
    }
    let one = try batches(world: 1, resumed: 0)
    for (world, resumed) in [(2, 0), (3, 17), (4, 39), (8, 1)] {
      #expect(try batches(world: world, resumed: resumed) == one, "\(world) workers")
    }
    // Different micro-batches differ, and 40 steps cross epochs.
    #expect(one[0][0] != one[0][1] && one[0][0] != one[1][0])
    #expect(try loader().epochsSeen(40) > 5)
  }

  @Test func documentsAreIsolatedFromTheEndOfTextBeforeThem() throws {
    let end: TokenID = 9
    let tokens = TokenStream(
      [1, 2, end, 3, end, end, 4, 5, 6, 7], vocabularySize: 10, endOfText: end)
    func starts(isolated: Bool) throws -> [[Int32]] {
      let loader = try TrainingLoader(
        tokens: tokens, context: 9, sequences: 2, microBatches: 1, seed: 3,
        isolatesDocuments: isolated)
      var batch = Batch(sequences: 2, context: 9)
      return try (0..<2).map { step in
        try loader.fill(&batch, step: step, microBatch: 0)
        #expect(batch.inputs == [1, 2, end, 3, end, end, 4, 5, 6, 1, 2, end, 3, end, end, 4, 5, 6])
        return batch.starts
      }
    }
    // A row starts a new document, also in the middle of one; a reused batch gives the same.
    let row: [Int32] = [0, 0, 2, 2, 4, 5, 5, 5, 5]
    #expect(try starts(isolated: true) == [row + row, row + row])
    #expect(try starts(isolated: false) == [[], []])
  }

  @Test func documentsBeginWithTheTokenThatBeginsAText() throws {
    let end: TokenID = 9
    let tokens = TokenStream(
      [1, 2, end, 3, end, end, 4, 5, 6, 7], vocabularySize: 10, endOfText: end)
    let loader = try TrainingLoader(
      tokens: tokens, context: 9, sequences: 1, microBatches: 1, seed: 3, isolatesDocuments: true,
      beginning: 8)
    var batch = Batch(sequences: 1, context: 9)
    try loader.fill(&batch, step: 0, microBatch: 0)
    #expect(batch.inputs == [1, 2, 8, 3, 8, 8, 4, 5, 6])
    #expect(batch.targets == [2, end, 3, end, end, 4, 5, 6, 7])
    #expect(batch.starts == [0, 0, 2, 2, 4, 5, 5, 5, 5])
  }

  @Test func epochsSeenIsTheFractionOfWindowsSeen() throws {
    let loader = try TrainingLoader(
      tokens: counting(1_004), context: 4, sequences: 5, microBatches: 2, seed: 1)
    #expect(loader.order.windowsPerEpoch == 250)
    #expect(loader.epochsSeen(25) == 1)
    #expect(loader.epochsSeen(10) == 0.4)
  }

  @Test func aCorpusShorterThanAWindowIsRefused() throws {
    for count in [0, 1, 64] {
      #expect(throws: DatasetError.corpusTooShort(tokens: count, context: 64)) {
        try TrainingLoader(
          tokens: counting(count), context: 64, sequences: 1, microBatches: 1, seed: 1)
      }
    }
    let least = try TrainingLoader(
      tokens: counting(65), context: 64, sequences: 1, microBatches: 1, seed: 1)
    #expect(least.order.start(ofSample: 12_345) == 0)
  }
}
