import Evaluation
import Testing

@Suite struct SpanQualityTests {
  @Test func onlySpansOfEqualNameStartAndEndAreCorrect() {
    var quality = SpanQuality()
    quality.count(
      predicted: ["B-A", "I-A", "O", "B-B", "B-B"], actual: ["B-A", "I-A", "O", "B-B", "I-B"])
    // Predicted: A 0..<2, B 3..<4, B 4..<5. True: A 0..<2, B 3..<5.
    #expect(quality.predicted == 3 && quality.actual == 2 && quality.correct == 1)
    #expect(quality.f1 == 0.4)
  }

  @Test func anITagThatContinuesNoSpanBeginsOne() {
    var quality = SpanQuality()
    quality.count(predicted: ["I-A", "I-B", "I-B"], actual: ["B-A", "B-B", "I-B"])
    #expect(quality.correct == 2 && quality.f1 == 1)
  }

  @Test func f1IsZeroWithoutSpans() {
    var quality = SpanQuality()
    quality.count(predicted: ["O", "O"], actual: ["O", "O"])
    #expect(quality == SpanQuality() && quality.f1 == 0)
  }

  @Test func spanQualityAppliesToBIOTagNamesOnly() {
    #expect(SpanQuality.applies(to: ["O", "B-A", "I-A"]))
    #expect(!SpanQuality.applies(to: ["O", "NOUN"]))
    #expect(!SpanQuality.applies(to: ["O", "B-A", "X"]))
    #expect(!SpanQuality.applies(to: ["O", "I-A"]))
  }
}
