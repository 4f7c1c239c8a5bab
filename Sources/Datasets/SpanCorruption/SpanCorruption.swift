import RandomNumbers
import Tokenizers

/// Span corruption, the pretraining objective of T5 (Raffel and others 2020).
///
/// In the source, each corrupted span of a text is replaced by a sentinel; the target is every sentinel
/// followed by its span.
///
///     text     Thank you for inviting me to your party last week
///     source   Thank you <0> me to your party <1> week </s>
///     target   <0> for inviting <1> last </s>
///
/// The numbers of corrupted tokens and of spans depend only on the length of the text; their positions
/// are drawn: all segmentations of the corrupted tokens into spans, and of the other tokens into the
/// runs before the spans, are equally likely, as in the published `random_spans_noise_mask`.
package struct SpanCorruption: Sendable {
  /// The fraction of the tokens that is corrupted, in (0, 0.5].
  package let fraction: Double
  /// The mean length of a span in tokens, at least 1.
  package let meanSpan: Double
  /// The ids that replace the first span, the second, and so on.
  package let sentinels: [TokenID]
  /// The first decoder input, which precedes the target.
  package let start: TokenID
  /// The id that ends sources and targets.
  package let end: TokenID
  /// The id that pads sources and targets.
  package let padding: TokenID

  package init(
    fraction: Double = 0.15, meanSpan: Double = 3, sentinels: [TokenID], start: TokenID,
    end: TokenID, padding: TokenID
  ) {
    precondition(
      fraction > 0 && fraction <= 0.5 && meanSpan >= 1,
      "spans of \(meanSpan) for \(fraction) of the tokens")
    self.fraction = fraction
    self.meanSpan = meanSpan
    self.sentinels = sentinels
    self.start = start
    self.end = end
    self.padding = padding
  }

  /// Returns the name of sentinel `index` in T5's tokenizers.
  package static func name(ofSentinel index: Int) -> String { "<extra_id_\(index)>" }

  /// Returns the sentinels of `tokenizer`; if it has none, the ids that a model of `vocabulary` ids has
  /// beyond the tokenizer's, in descending order.
  package static func sentinels(of tokenizer: any Tokenizer, vocabulary: Int) -> [TokenID] {
    var own: [TokenID] = []
    while let id = tokenizer.specialToken(name(ofSentinel: own.count)) { own.append(id) }
    guard own.isEmpty else { return own }
    let first = min(vocabulary, tokenizer.vocabularySize)
    return (first..<vocabulary).reversed().map { TokenID($0) }
  }

  /// The numbers of tokens and spans for a text of some length.
  package struct Sizes: Sendable, Equatable {
    /// The number of tokens of the text.
    package let tokens: Int
    /// The number of corrupted tokens.
    package let corrupted: Int
    /// The number of spans that the corrupted tokens form.
    package let spans: Int
    /// The number of tokens of the source: the uncorrupted tokens, a sentinel for each span, the end.
    package var source: Int { tokens - corrupted + spans + 1 }
    /// The number of tokens of the target: the corrupted tokens, a sentinel for each span, the end.
    package var target: Int { corrupted + spans + 1 }
  }

  /// Returns the sizes for a text of `tokens` tokens, at least 2.
  package func sizes(of tokens: Int) -> Sizes {
    precondition(tokens >= 2, "spans of a text of \(tokens) tokens")
    let rounded = { (number: Double) in Int(number.rounded(.toNearestOrEven)) }
    let corrupted = min(max(rounded(Double(tokens) * fraction), 1), tokens - 1)
    let spans = max(rounded(Double(min(corrupted, tokens - corrupted)) / meanSpan), 1)
    return Sizes(tokens: tokens, corrupted: corrupted, spans: spans)
  }

  /// Returns the sizes for the longest text whose source has at most `context` tokens, 3 or more; the
  /// text is a little longer than the source, because spans are longer than sentinels.
  package func sizes(ofSource context: Int) -> Sizes {
    precondition(context >= 3, "sources of \(context) tokens")
    var sizes = sizes(of: 2)
    while true {
      let next = self.sizes(of: sizes.tokens + 1)
      if next.source > context { return sizes }
      sizes = next
    }
  }

  /// Returns the ranges of the corrupted spans of a text, in order.
  func spans(_ sizes: Sizes, drawing stream: RandomStream) -> [Range<Int>] {
    let kept = segments(of: sizes.tokens - sizes.corrupted, sizes.spans, drawing: stream, from: 0)
    let corrupted = segments(of: sizes.corrupted, sizes.spans, drawing: stream, from: sizes.tokens)
    var place = 0
    return zip(kept, corrupted).map { kept, corrupted in
      place += kept
      defer { place += corrupted }
      return place..<place + corrupted
    }
  }

  /// Returns the lengths of a uniformly random segmentation of `items` items into `count` nonempty
  /// segments.
  ///
  /// The cuts are chosen by selection sampling (Knuth, The Art of Computer Programming, 3.4.2 S), with
  /// the words of `stream` from `first` on.
  private func segments(
    of items: Int, _ count: Int, drawing stream: RandomStream, from first: Int
  ) -> [Int] {
    var lengths: [Int] = []
    var length = 1
    for place in 1..<max(1, items) {
      let (wanted, left) = (count - 1 - lengths.count, items - place)
      let draw = (UInt64(stream.word(UInt64(first + place))) * UInt64(left)) >> 32
      if draw < UInt64(wanted) {
        lengths.append(length)
        length = 0
      }
      length += 1
    }
    return lengths + [length]
  }

  /// Writes `text`, which has the length `sizes.tokens`, into `row` of `batch`: its source into
  /// `sources`, padded to `sourceContext` tokens, and its target into `inputs` and `targets`.
  func write(
    _ text: [TokenID], _ sizes: Sizes, sourceContext: Int, to batch: inout Batch, row: Int,
    drawing stream: RandomStream
  ) {
    var source: [TokenID] = []
    var target: [TokenID] = []
    var kept = 0
    for (span, sentinel) in zip(spans(sizes, drawing: stream), sentinels) {
      source += text[kept..<span.lowerBound] + [sentinel]
      target += [sentinel] + text[span]
      kept = span.upperBound
    }
    batch.fill(
      row: row, source: source + [end], target: target + [end], sourceContext: sourceContext,
      start: start, padding: padding)
  }
}
