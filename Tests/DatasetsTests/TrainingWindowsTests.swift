import Testing
import Tokenizers

@testable import Datasets

/// Windows of a main and a replayed corpus.
@Suite struct TrainingWindowsTests {
  private static func stream(_ count: Int, from first: Int) -> TokenStream {
    TokenStream(
      (0..<count).map { TokenID(first + $0) }, vocabularySize: 100_000, endOfText: 0)
  }

  private static func windows(_ fraction: Double, seed: UInt64 = 5) throws -> TrainingWindows {
    try TrainingWindows(
      tokens: stream(2000, from: 0), context: 8, sequences: 3, microBatches: 4, seed: seed,
      replay: Replay(stream(900, from: 50_000), fraction: fraction))
  }

  /// Returns the first id of every row of a step; 50,000 or more in a replayed row.
  private static func rows(_ windows: TrainingWindows, step: Int) throws -> [Int] {
    try (0..<4).flatMap { microBatch in
      try (0..<3).map { row in
        let (tokens, start) = windows(step: step, microBatch: microBatch, row: row)
        return Int(try tokens.ids(in: start..<start + 1)[0])
      }
    }
  }

  @Test(arguments: [0.05, 0.2, 0.5, 0.9])
  func replayedRowsMatchTheFractionAtEveryStep(fraction: Double) throws {
    let windows = try Self.windows(fraction)
    var replayed = 0
    for step in 0..<200 {
      replayed += try Self.rows(windows, step: step).count { $0 >= 50_000 }
      #expect(replayed == Int((Double((step + 1) * 12) * fraction).rounded(.down)))
    }
    #expect(replayed > 0)
  }

  /// In an epoch of a corpus every window comes once, as without the other corpus.
  @Test func eachCorpusIsReadInItsOwnOrder() throws {
    let (context, fraction) = (8, 0.3)
    let windows = try Self.windows(fraction)
    let (first, second) = (Self.stream(2000, from: 0), Self.stream(900, from: 50_000))
    var (own, replayed): ([Int], [Int]) = ([], [])
    for step in 0..<60 {
      for id in try Self.rows(windows, step: step) {
        if id < 50_000 { own.append(id) } else { replayed.append(id) }
      }
    }
    for (seen, stream) in [(own, first), (replayed, second)] {
      let order = try WindowOrder(tokenCount: stream.count, context: context, seed: 5)
      let epoch = order.windowsPerEpoch
      let expected = try (0..<epoch).map {
        Int(try stream.ids(in: order.start(ofSample: $0)..<order.start(ofSample: $0) + 1)[0])
      }
      #expect(seen.count > epoch)
      // A step that straddles two epochs has its windows in any order.
      let whole = Set(seen.prefix(epoch - 12))
      #expect(whole.count == epoch - 12 && whole.isSubset(of: Set(expected)))
    }
  }

  @Test func rowsAreAPureFunctionOfSeedStepAndRow() throws {
    let (one, two) = (try Self.windows(0.25), try Self.windows(0.25))
    let forwards = try (0..<40).map { try Self.rows(one, step: $0) }
    let backwards = try (0..<40).reversed().map { try Self.rows(two, step: $0) }
    #expect(forwards == backwards.reversed())
    let other = try Self.windows(0.25, seed: 6)
    #expect(try Self.rows(other, step: 3) != forwards[3])
    // The replayed rows differ from step to step.
    #expect(Set(forwards.map { step in step.map { $0 >= 50_000 } }).count > 20)
  }

  /// A replayed corpus with the fraction 0, which is only evaluated, does not change the windows.
  @Test func aFractionOfZeroIsTheSameAsNoReplay() throws {
    let alone = try TrainingWindows(
      tokens: Self.stream(2000, from: 0), context: 8, sequences: 3, microBatches: 4, seed: 5)
    let none = try Self.windows(0)
    for step in 0..<30 {
      #expect(try Self.rows(alone, step: step) == Self.rows(none, step: step))
    }
    #expect(none.epochsSeen(100) == alone.epochsSeen(100))
    #expect(try Self.windows(0.5).epochsSeen(100) == alone.epochsSeen(100) / 2)
  }

  @Test func aReplayedCorpusThatIsTooShortIsRefused() throws {
    #expect(throws: DatasetError.corpusTooShort(tokens: 8, context: 8, use: .replayed)) {
      try TrainingWindows(
        tokens: Self.stream(2000, from: 0), context: 8, sequences: 3, microBatches: 4, seed: 5,
        replay: Replay(Self.stream(8, from: 0), fraction: 0.1))
    }
  }
}
