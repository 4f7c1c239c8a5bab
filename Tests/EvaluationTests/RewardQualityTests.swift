import Testing

@testable import Evaluation

@Suite struct RewardQualityTests {
  /// Pairs whose chosen answers lead by `lead`; every `wrong`-th is the other way round.
  private func pairs(
    _ count: Int = 200, lead: Double = 3, wrong: Int = 20, chosenLength: Double = 10,
    swaps: Bool = false, scoreOfLength: Double = 0
  ) -> [RewardQuality.Pair] {
    (0..<count).map { index in
      let sign = index % wrong == wrong - 1 ? -1.0 : 1.0
      // Lengths that do not follow the choice.
      let lengths = (
        chosen: chosenLength + Double(index % 7), rejected: 10 + Double((index * 3) % 7)
      )
      let scores = (
        chosen: sign * lead / 2 + scoreOfLength * lengths.chosen,
        rejected: -sign * lead / 2 + scoreOfLength * lengths.rejected
      )
      return RewardQuality.Pair(
        scores: scores,
        swappedScores: swaps ? (scores.rejected, scores.chosen) : scores, lengths: lengths)
    }
  }

  @Test func aGoodModelIsFit() {
    let quality = RewardQuality(pairs())
    #expect(quality.accuracy == 0.95 && quality.margin == 0.9 * 3)
    #expect(quality.interval[0] < 0.95 && 0.95 < quality.interval[1])
    #expect(quality.swapAgreement == 1 && quality.calibrationError < 0.02)
    #expect(quality.objections.isEmpty, "\(quality.objections)")
  }

  @Test(arguments: [
    (RewardQuality.Fault.few, "too few"), (.coin, "told from a coin"), (.length, "rewards length"),
    (.brevity, "rewards brevity"),
    (.promise, "promise too much"), (.place, "place of an answer"),
  ])
  func everyFaultHasItsSentence(fault: RewardQuality.Fault, words: String) {
    let quality =
      switch fault {
      case .few: RewardQuality(pairs(40))
      case .coin: RewardQuality(pairs(wrong: 2))
      case .length: RewardQuality(pairs(lead: 0.2, wrong: 3, scoreOfLength: 1))
      case .brevity: RewardQuality(pairs(lead: 0.2, wrong: 3, scoreOfLength: -1))
      case .promise: RewardQuality(pairs(lead: 30, wrong: 4))
      case .place: RewardQuality(pairs(swaps: true))
      }
    #expect(quality.objections.contains { $0.contains(words) }, "\(quality.objections)")
  }

  /// Where the judges themselves like length, so may the model.
  @Test func aModelMayFollowTheLengthAsFarAsTheJudgesDo() {
    let long = RewardQuality(pairs(chosenLength: 60, scoreOfLength: 0.02))
    #expect((long.lengthCorrelation ?? 0) > 0.8 && (long.judgesLengthCorrelation ?? 0) > 0.8)
    #expect(!long.objections.contains { $0.contains("length") }, "\(long.objections)")
  }
}

extension RewardQuality {
  /// What can be wrong with a reward model.
  enum Fault: Sendable { case few, coin, length, brevity, promise, place }
}
