import Testing

@testable import Evaluation

@Suite struct RewardQualityTests {
  /// Returns pairs whose chosen completions score higher by `lead`; in every `wrong`-th pair they
  /// score lower by it.
  private func pairs(
    _ count: Int = 200, lead: Double = 3, wrong: Int = 20, chosenLength: Double = 10,
    swaps: Bool = false, scoreOfLength: Double = 0
  ) -> [RewardQuality.Pair] {
    (0..<count).map { index in
      let sign = index % wrong == wrong - 1 ? -1.0 : 1.0
      // Lengths that do not depend on the choice.
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

  @Test func aGoodModelHasNoObjections() {
    let quality = RewardQuality(pairs())
    #expect(quality.accuracy == 0.95 && quality.margin == 0.9 * 3)
    #expect(quality.interval[0] < 0.95 && 0.95 < quality.interval[1])
    #expect(quality.swapAgreement == 1 && quality.calibrationError < 0.02)
    #expect(quality.objections.isEmpty, "\(quality.objections)")
  }

  @Test(arguments: [
    (RewardQuality.Fault.few, "too few"), (.coin, "better than chance"),
    (.length, "rewards length"), (.brevity, "rewards brevity"),
    (.promise, "badly calibrated"), (.place, "position in the batch"),
  ])
  func everyFaultHasItsObjection(fault: RewardQuality.Fault, words: String) {
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

  /// Two pairs show neither a length bias nor a calibration, whatever their figures are.
  @Test(arguments: [2, 49]) func fewPairsShowNoBias(count: Int) {
    for few in [
      RewardQuality(pairs(count, lead: 0.2, wrong: 3, scoreOfLength: -1)),
      RewardQuality(pairs(count, lead: 30, wrong: 2)),
    ] {
      #expect(few.objections.contains { $0.contains("too few") })
      #expect(!few.objections.contains { $0.contains("length") || $0.contains("calibrat") })
    }
  }

  /// A length bias of the annotators themselves is no fault of the model.
  @Test func aModelMayBeAsLengthBiasedAsTheAnnotators() {
    let long = RewardQuality(pairs(chosenLength: 60, scoreOfLength: 0.02))
    #expect((long.lengthCorrelation ?? 0) > 0.8 && (long.judgesLengthCorrelation ?? 0) > 0.8)
    #expect(!long.objections.contains { $0.contains("length") }, "\(long.objections)")
  }
}

extension RewardQuality {
  /// A fault that leads to an objection.
  enum Fault: Sendable { case few, coin, length, brevity, promise, place }
}
