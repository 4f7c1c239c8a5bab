import Testing
import Tokenizers

@testable import Annotation

@Suite struct AnnotationPairTests {
  @Test func theIdDependsOnTheTextsOnly() {
    let pair = AnnotationPair("p", "a", "b")
    #expect(pair.id.count == 16 && pair.id.allSatisfy(\.isHexDigit))
    #expect(AnnotationPair("p", "b", "a", sources: ("x", "y")).id == pair.id)
    let others = [
      AnnotationPair("q", "a", "b"), AnnotationPair("p", "a", "c"), AnnotationPair("pa", "", "b"),
      AnnotationPair(
        prompt: [Message(.system, "p")], first: .init([Message(.assistant, "a")]),
        second: .init([Message(.assistant, "b")])),
      AnnotationPair(
        prompt: [Message(.user, "p"), Message(.assistant, "a")], first: .init([]),
        second: .init([Message(.assistant, "b")])),
    ]
    #expect(Set(others.map(\.id) + [pair.id]).count == others.count + 1)
  }
}
