import RandomNumbers
import Tokenizers

/// Span corruption, as T5 is pretrained with it (Raffel and others 2020).
///
/// Spans of a text are taken out of the source, a sentinel in the place of each, and the target names
/// every sentinel and what stood there.
///
///     text     Thank you for inviting me to your party last week
///     source   Thank you <0> me to your party <1> week </s>
///     target   <0> for inviting <1> last </s>
///
/// How many tokens and spans are taken depends on the length of the text alone; which ones is drawn:
/// all ways to cut the tokens that are taken into spans, and the others into the runs before them, are
/// equally likely, as in the published `random_spans_noise_mask`.
public struct SpanCorruption: Sendable {
  /// Share of the tokens that are taken out.
  public let share: Double
  /// Mean length of a span.
  public let meanSpan: Double
  /// What stands in the place of the first span, the second, and so on.
  public let sentinels: [TokenID]
  /// What targets begin after.
  public let start: TokenID
  /// What ends sources and targets.
  public let end: TokenID
  /// What fills up sources and targets.
  public let padding: TokenID

  /// See the properties.
  ///
  /// - Parameters:
  ///   - share: In (0, 0.5].
  ///   - meanSpan: At least 1.
  public init(
    share: Double = 0.15, meanSpan: Double = 3, sentinels: [TokenID], start: TokenID,
    end: TokenID, padding: TokenID
  ) {
    precondition(
      share > 0 && share <= 0.5 && meanSpan >= 1, "spans of \(meanSpan) for \(share) of the tokens")
    self.share = share
    self.meanSpan = meanSpan
    self.sentinels = sentinels
    self.start = start
    self.end = end
    self.padding = padding
  }

  /// How tokenizers write sentinel `index`.
  public static func name(ofSentinel index: Int) -> String { "<extra_id_\(index)>" }

  /// The sentinels of `tokenizer`; where it has none, the ids that a model of `vocabulary` ids has
  /// behind the tokenizer's, from the last one down.
  public static func sentinels(of tokenizer: any Tokenizer, vocabulary: Int) -> [TokenID] {
    var own: [TokenID] = []
    while let id = tokenizer.specialToken(name(ofSentinel: own.count)) { own.append(id) }
    guard own.isEmpty else { return own }
    let first = min(vocabulary, tokenizer.vocabularySize)
    return (first..<vocabulary).reversed().map { TokenID($0) }
  }

  /// What becomes of a text of some length.
  public struct Sizes: Sendable, Equatable {
    /// Tokens of the text.
    public let tokens: Int
    /// Of them, those that are taken out.
    public let taken: Int
    /// Spans that they form.
    public let spans: Int
    /// Tokens of the source: those that stay, a sentinel for each span, the end.
    public var source: Int { tokens - taken + spans + 1 }
    /// Tokens of the target: those that are taken, a sentinel for each span, the end.
    public var target: Int { taken + spans + 1 }
  }

  /// What becomes of a text of `tokens`, at least 2.
  public func sizes(of tokens: Int) -> Sizes {
    precondition(tokens >= 2, "spans of a text of \(tokens) tokens")
    let rounded = { (number: Double) in Int(number.rounded(.toNearestOrEven)) }
    let taken = min(max(rounded(Double(tokens) * share), 1), tokens - 1)
    let spans = max(rounded(Double(min(taken, tokens - taken)) / meanSpan), 1)
    return Sizes(tokens: tokens, taken: taken, spans: spans)
  }

  /// What becomes of the longest text whose source has at most `context` tokens, 3 or more; a little
  /// longer than the source, as spans are longer than sentinels.
  public func sizes(ofSource context: Int) -> Sizes {
    precondition(context >= 3, "sources of \(context) tokens")
    var sizes = sizes(of: 2)
    while true {
      let next = self.sizes(of: sizes.tokens + 1)
      if next.source > context { return sizes }
      sizes = next
    }
  }

  /// Where the spans of a text lie, in order.
  func spans(_ sizes: Sizes, drawing stream: RandomStream) -> [Range<Int>] {
    let kept = segments(of: sizes.tokens - sizes.taken, sizes.spans, drawing: stream, from: 0)
    let taken = segments(of: sizes.taken, sizes.spans, drawing: stream, from: sizes.tokens)
    var place = 0
    return zip(kept, taken).map { kept, taken in
      place += kept
      defer { place += taken }
      return place..<place + taken
    }
  }

  /// The lengths of `count` pieces of `items`, none empty, every way to cut being equally likely.
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

  /// Writes `text`, as long as `sizes` say, into `row` of `batch`: its source among the sources, which
  /// have as many places a row as `sources`, its target into inputs and targets.
  func write(
    _ text: [TokenID], _ sizes: Sizes, sources: Int, to batch: inout Batch, row: Int,
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
      row: row, source: source + [end], target: target + [end], sources: sources, start: start,
      padding: padding)
  }
}
