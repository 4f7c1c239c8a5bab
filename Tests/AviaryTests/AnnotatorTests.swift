import Testing

@testable import Aviary

@Suite struct AnnotatorTests {
  private let kind = smallCorpus.first { $0.facts.outcome == .helped }?.text ?? ""
  private let unkind = smallCorpus.first { $0.facts.outcome == .failed }?.text ?? ""

  private func answers(
    _ name: String = "anna", seed: UInt64 = 1, first: String, second: String
  ) -> [Annotator.Answer] {
    let annotator = Annotator(name, seed: seed)
    return (0..<2_000).map { annotator.answer(on: "pair \($0)", first: first, second: second) }
  }

  private func share(_ answer: Annotator.Answer, of answers: [Annotator.Answer]) -> Double {
    Double(answers.filter { $0 == answer }.count) / Double(answers.count)
  }

  @Test func nineInTenPreferTheKindEnding() {
    let answers = answers(first: kind, second: unkind)
    #expect(abs(share(.first, of: answers) - 0.9 * 0.97) < 0.03)
    #expect(abs(share(.tie, of: answers) - 0.1 * 0.97) < 0.03)
    #expect(abs(share(.skip, of: answers) - 0.03) < 0.015)
  }

  @Test func theTextThatHoldsTogetherIsBetterWhereTheEndingsAreAlike() {
    let broken = unkind.split(separator: " ").dropLast().joined(separator: " ")
    #expect(share(.first, of: answers(first: unkind, second: broken)) > 0.95)
    #expect(share(.bothBad, of: answers(first: broken, second: "")) > 0.95)
    #expect(share(.tie, of: answers(first: unkind, second: unkind)) > 0.95)
    // A kind ending outweighs a slip.
    let slip = kind.replacingFirst("was a", with: "was an")
    #expect(slip != kind && share(.first, of: answers(first: slip, second: unkind)) > 0.8)
  }

  @Test func answersTurnWithTheOrder() {
    let turned: [Annotator.Answer: Annotator.Answer] = [.first: .second, .second: .first]
    let straight = answers(first: kind, second: unkind)
    #expect(answers(first: unkind, second: kind) == straight.map { turned[$0] ?? $0 })
  }

  @Test func anAnswerDependsOnSeedAnnotatorAndPairAlone() {
    let first = answers(first: kind, second: unkind)
    #expect(answers(first: kind, second: unkind) == first)
    let others = [
      answers("ben", first: kind, second: unkind), answers(seed: 2, first: kind, second: unkind),
    ]
    for other in others {
      let agreed = zip(first, other).filter { $0 == $1 }.count
      // 0.87² + 0.10² + 0.03²
      #expect((1_450...1_660).contains(agreed), "\(agreed) of 2,000")
    }
  }
}

extension String {
  fileprivate func replacingFirst(_ old: String, with new: String) -> String {
    guard let range = firstRange(of: old) else { return self }
    return String(self[..<range.lowerBound]) + new + String(self[range.upperBound...])
  }
}
