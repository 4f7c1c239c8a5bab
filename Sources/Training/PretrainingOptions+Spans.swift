import Configuration
import Datasets
import Models
import Tokenizers

// What T5 has of its own: a second stack, and spans that are taken out of texts.

extension PretrainingOptions {
  /// What is taken out of a text for a model that has to tell it.
  public struct Spans: Sendable {
    /// Share of the tokens.
    public var share: Double
    /// Mean length of a span.
    public var mean: Double
  }
}

extension PretrainingOptions.Spans {
  init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    share = try reader.number(
      "spans.share", default: 0.15, in: 0.01...0.5,
      help: "share of the tokens that is taken out of t5's sources")
    mean = try reader.number(
      "spans.mean", default: 3, in: 1...100, unit: "tokens", help: "mean length of a span")
  }
}

extension PretrainingOptions.Model {
  /// Sentinels that a vocabulary is enlarged by, as the published one was.
  private static let sentinels = 100

  /// A T5 for `tokenizer`, whose vocabulary grows by sentinels where it has none.
  func t5(_ tokenizer: any Tokenizer) throws(ModelError) -> T5Configuration {
    let hasSentinels = tokenizer.specialToken(SpanCorruption.name(ofSentinel: 0)) != nil
    let padding = tokenizer.specialToken("<pad>") ?? tokenizer.endOfText
    return try T5Configuration(
      vocabulary: vocabulary
        ?? tokenizer.vocabularySize + (hasSentinels ? 0 : PretrainingOptions.Model.sentinels),
      context: context, layers: layers, decoderLayers: decoderLayers, heads: heads, width: width,
      hidden: hidden, dropout: Float(dropout), isGated: isGated, tied: tied ?? true,
      padding: Int(padding), endOfText: Int(tokenizer.endOfText))
  }

  /// Refuses keys that do not go with the family.
  func requireOwnKeys(_ reader: ConfigurationReader) throws(ConfigurationError) {
    let idle = family == .t5 ? ["model.initialDeviation"] : ["model.gated", "model.decoderLayers"]
    for key in idle where reader.isChanged(key) {
      throw reader.rejection(
        of: key, because: "it has no effect with model.family: \(family.rawValue); leave it out")
    }
    if family == .t5 && context < 8 {
      throw reader.rejection(
        of: "model.context", because: "t5 takes spans out of its sources; choose 8 or more")
    }
  }
}

extension PretrainingOptions {
  /// What becomes of the texts that fill the sources of `model`; nil where it has none.
  func spanSizes(_ model: any ModelConfiguration) -> SpanCorruption.Sizes? {
    guard model.prediction == .target else { return nil }
    // How many there are does not depend on which ids stand for what.
    return SpanCorruption(
      share: spans.share, meanSpan: spans.mean, sentinels: [], start: 0, end: 0, padding: 0
    ).sizes(ofSource: model.context)
  }

  /// How spans are taken out of the texts of `tokenizer` for `model`.
  func corruption(
    _ tokenizer: any Tokenizer, for model: T5Configuration, _ reader: ConfigurationReader
  ) throws(ConfigurationError) -> SpanCorruption {
    let sentinels = SpanCorruption.sentinels(of: tokenizer, vocabulary: model.vocabulary)
    let padding = TokenID(model.padding ?? model.endOfText)
    let corruption = SpanCorruption(
      share: spans.share, meanSpan: spans.mean, sentinels: sentinels,
      start: TokenID(model.start ?? model.endOfText), end: tokenizer.endOfText, padding: padding)
    let sizes = corruption.sizes(ofSource: model.context)
    guard sizes.spans <= sentinels.count else {
      throw reader.rejection(
        of: "model.vocabulary",
        because:
          "\(sizes.spans) spans of a source need a sentinel each, and of \(model.vocabulary) "
          + "ids \(sentinels.count) are no tokens; make it \(sizes.spans - sentinels.count) larger")
    }
    return corruption
  }
}
