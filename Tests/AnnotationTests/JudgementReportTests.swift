import Foundation
import Testing

@testable import Annotation

@Suite struct JudgementReportTests {
  private func stored(_ count: Int) -> [StoredPair] {
    AnnotationPair.several(count).enumerated().map {
      StoredPair(number: $0.offset, id: $0.element.id, pair: $0.element)
    }
  }

  /// Returns one annotator's judgements of the pairs, in order: f, s, t, b, - for skip, a space for none.
  ///
  /// The first answer is on the left in even pairs.
  private func judgements(_ name: String, _ letters: String, _ pairs: [StoredPair]) -> [Judgement] {
    let verdicts: [Character: Verdict] = [
      "f": .first, "s": .second, "t": .tie, "b": .bothBad, "-": .skip,
    ]
    return zip(letters, pairs).compactMap { letter, pair in
      verdicts[letter].map {
        Judgement(
          pair: pair.id, annotator: name, verdict: $0,
          left: pair.number % 2 == 0 ? .first : .second)
      }
    }
  }

  @Test func twoAnnotatorsAreComparedByCohensKappa() throws {
    let pairs = stored(10)
    let report = JudgementReport(
      pairs: pairs,
      judgements: judgements("ben", "ffsstbf-  ", pairs)
        + judgements("anna", "ffssttsf f", pairs))
    #expect(report.annotators.map(\.name) == ["anna", "ben"])
    let anna = report.annotators[0]
    // Left: pair 0 f, 3 s; right: 1 f, 2 s, 6 s, 7 f, 9 f.
    let counts: [Int] = [anna.left, anna.right, anna.tie, anna.bothBad, anna.skip]
    #expect(counts == [2, 5, 2, 0, 0])
    #expect(report.annotators[1].skip == 1 && report.annotators[1].count == 8)
    #expect(report.leftFraction.successes == 5 && report.leftFraction.trials == 12)
    // Both judged 0…6: 5 of 7 agree; chance (3·2 + 2·3 + 1·2 + 1·0) / 49.
    let agreement = try #require(report.agreement)
    #expect(agreement.shared == 7 && agreement.judged == 9 && !agreement.isFleiss)
    let (observed, chance) = (5.0 / 7, 14.0 / 49)
    let kappa = try #require(agreement.kappa)
    #expect(abs(kappa - (observed - chance) / (1 - chance)) < 1e-12)
    // Votes for x: 1, 1, 0, 0, ½, ½, ½, 1, 1.
    let rate = report.winRates[0]
    #expect(rate.source == "models/x" && rate.rate.successes == 5.5 && rate.rate.trials == 9)
    #expect(rate.wins == 4 && rate.losses == 2)
    #expect(report.winRates[1].rate.successes == 3.5 && report.winRates[1].wins == 2)
    for words in [
      "10 pairs, 17 judgements by 2 annotators", "Cohen's kappa 0.600 over 7 pairs",
      "78 % of 9", "models/x  0.611 (0.309–0.847)", "left in 0.417 (0.193–0.680) of 12",
    ] {
      #expect(report.text.contains(words), "\(words): \(report.text)")
    }
    #expect(report.text.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(report.text)")
  }

  /// Three annotators, not all of whom judge every pair. (StatisticsTests checks Fleiss' own numbers.)
  @Test func threeAnnotatorsAreComparedByFleissKappa() throws {
    let pairs = stored(4)
    let report = JudgementReport(
      pairs: pairs,
      judgements: judgements("a", "ffs-", pairs) + judgements("b", "fss ", pairs)
        + judgements("c", "ff b", pairs))
    let agreement = try #require(report.agreement)
    // Pairs 0: fff, 1: fsf, 2: ss. P = 1, 1/3, 1; fraction of f = (1 + 2/3 + 0) / 3.
    let observed: Double = (1 + 1.0 / 3 + 1) / 3
    let f: Double = (1 + 2.0 / 3) / 3
    let chance = f * f + (1 - f) * (1 - f)
    let kappa = try #require(agreement.kappa)
    #expect(agreement.isFleiss && agreement.shared == 3 && agreement.judged == 4)
    #expect(abs(kappa - (observed - chance) / (1 - chance)) < 1e-12)
  }

  @Test func agreementIsUndefinedWithoutAComparison() {
    let pairs = stored(2)
    let none = JudgementReport(pairs: pairs, judgements: [])
    #expect(none.text == "2 pairs, 0 judgements by 0 annotators\n" && none.agreement == nil)
    let one = JudgementReport(pairs: pairs, judgements: judgements("a", "t-", pairs))
    for words in ["1 annotator", "nothing to compare", "no preference between"] {
      #expect(one.text.contains(words), "\(one.text)")
    }
    // Two annotators who use only one label: kappa is undefined.
    let same = JudgementReport(
      pairs: pairs, judgements: judgements("a", "ff", pairs) + judgements("b", "ff", pairs))
    #expect(same.agreement?.kappa == nil && same.text.contains("kappa is not defined"))
  }

  @Test func answersWithoutSidesAreCountedSeparately() {
    let pairs = stored(2)
    let judgement = Judgement(pair: pairs[0].id, annotator: "a", verdict: .first)
    let report = JudgementReport(pairs: pairs, judgements: [judgement])
    #expect(report.annotators[0].unknownSide == 1 && report.leftFraction.trials == 0)
    #expect(report.text.contains("side unknown"))
  }
}
