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

  private func fraction(of answer: Annotator.Answer, in answers: [Annotator.Answer]) -> Double {
    Double(answers.filter { $0 == answer }.count) / Double(answers.count)
  }

  @Test func theKindEndingIsPreferredInNineOfTenPairs() {
    let answers = answers(first: kind, second: unkind)
    #expect(abs(fraction(of: .first, in: answers) - 0.9 * 0.97) < 0.03)
    #expect(abs(fraction(of: .tie, in: answers) - 0.1 * 0.97) < 0.03)
    #expect(abs(fraction(of: .skip, in: answers) - 0.03) < 0.015)
  }

  @Test func theConsistentTextIsBetterWhenTheEndingsAreAlike() {
    let broken = unkind.split(separator: " ").dropLast().joined(separator: " ")
    #expect(fraction(of: .first, in: answers(first: unkind, second: broken)) > 0.95)
    #expect(fraction(of: .bothBad, in: answers(first: broken, second: "")) > 0.95)
    #expect(fraction(of: .tie, in: answers(first: unkind, second: unkind)) > 0.95)
    // A kind ending outweighs one contradiction.
    let slip = kind.replacingFirst("was a", with: "was an")
    #expect(slip != kind && fraction(of: .first, in: answers(first: slip, second: unkind)) > 0.8)
  }

  @Test func swappingTheTextsSwapsTheAnswer() {
    let turned: [Annotator.Answer: Annotator.Answer] = [.first: .second, .second: .first]
    let straight = answers(first: kind, second: unkind)
    #expect(answers(first: unkind, second: kind) == straight.map { turned[$0] ?? $0 })
  }

  @Test func answersDependOnSeedAnnotatorAndPair() {
    let first = answers(first: kind, second: unkind)
    #expect(answers(first: kind, second: unkind) == first)
    let others = [
      answers("ben", first: kind, second: unkind), answers(seed: 2, first: kind, second: unkind),
    ]
    for other in others {
      let agreed = zip(first, other).filter { $0 == $1 }.count
      // Expected fraction: 0.87² + 0.10² + 0.03² = 0.77.
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
