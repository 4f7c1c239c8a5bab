import Evaluation
import Testing

@Suite struct SpanQualityTests {
  @Test func spansAreCounted() {
    var quality = SpanQuality()
    quality.count(
      predicted: ["B-A", "I-A", "O", "B-B", "B-B"], actual: ["B-A", "I-A", "O", "B-B", "I-B"])
    // Marked: A 0..<2, B 3..<4, B 4..<5; there: A 0..<2, B 3..<5.
    #expect(quality.predicted == 3 && quality.actual == 2 && quality.right == 1)
    #expect(quality.f1 == 0.4)
  }

  @Test func aSpanMayBeginWithinOne() {
    var quality = SpanQuality()
    quality.count(predicted: ["I-A", "I-B", "I-B"], actual: ["B-A", "B-B", "I-B"])
    #expect(quality.right == 2 && quality.f1 == 1)
  }

  @Test func nothingThereIsNothingRight() {
    var quality = SpanQuality()
    quality.count(predicted: ["O", "O"], actual: ["O", "O"])
    #expect(quality == SpanQuality() && quality.f1 == 0)
  }

  @Test func namesTellWhetherThereAreSpans() {
    #expect(SpanQuality.applies(to: ["O", "B-A", "I-A"]))
    #expect(!SpanQuality.applies(to: ["O", "NOUN"]))
    #expect(!SpanQuality.applies(to: ["O", "B-A", "X"]))
    #expect(!SpanQuality.applies(to: ["O", "I-A"]))
  }
}
