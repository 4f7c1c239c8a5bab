import Configuration
import Datasets
import Models
import Tokenizers

// The keys of T5 alone: the decoder, and span corruption.

extension PretrainingOptions {
  /// The keys of span corruption.
  package struct Spans: Sendable {
    /// The fraction of the tokens that is corrupted.
    package var fraction: Double
    /// The mean length of a corrupted span, in tokens.
    package var mean: Double
  }
}

extension PretrainingOptions.Spans {
  init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    fraction = try reader.number(
      "spans.rate", default: 0.15, in: 0.01...0.5,
      help: "fraction of t5's input tokens in corrupted spans")
    mean = try reader.number(
      "spans.mean", default: 3, in: 1...100, unit: "tokens",
      help: "mean length of a corrupted span")
  }
}

extension PretrainingOptions.Model {
  /// The number of sentinels that are added to a vocabulary without any, as in the published T5.
  private static let sentinels = 100

  /// Returns a T5 for `tokenizer`; sentinels are added to a vocabulary that has none.
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

  /// Refuses keys that have no effect with the family.
  func requireOwnKeys(_ reader: ConfigurationReader) throws(ConfigurationError) {
    let idle = family == .t5 ? ["model.initialStd"] : ["model.gated", "model.decoderLayers"]
    for key in idle where reader.isChanged(key) {
      throw reader.rejection(
        of: key, because: "it has no effect with model.family: \(family.rawValue); leave it out")
    }
    if family == .t5 && context < 8 {
      throw reader.rejection(
        of: "model.context",
        because: "t5 needs inputs that are long enough for corrupted spans; choose 8 or more")
    }
  }
}

extension PretrainingOptions {
  /// Returns the positions of decoder and encoder inputs in a row for `model`; nil for models
  /// without an encoder.
  func sketchRow(_ model: any ModelConfiguration) -> (context: Int?, sourceContext: Int?)? {
    guard model.prediction == .sequenceToSequence else { return nil }
    // The sizes do not depend on the ids.
    let corruption = SpanCorruption(
      fraction: spans.fraction, meanSpan: spans.mean, sentinels: [], start: 0, end: 0, padding: 0)
    let row = SpanCorruptionTask(corruption: corruption).row(context: model.context)
    return (row.context, row.sourceContext)
  }

  /// Returns the span corruption of texts of `tokenizer` for `model`.
  func corruption(
    _ tokenizer: any Tokenizer, for model: any ModelConfiguration, _ reader: ConfigurationReader
  ) throws(ConfigurationError) -> SpanCorruption {
    let sentinels = SpanCorruption.sentinels(of: tokenizer, vocabulary: model.vocabulary)
    let start = model.start.map { TokenID($0) } ?? tokenizer.endOfText
    let corruption = SpanCorruption(
      fraction: spans.fraction, meanSpan: spans.mean, sentinels: sentinels,
      start: start, end: tokenizer.endOfText,
      padding: model.padding.map { TokenID($0) } ?? tokenizer.endOfText)
    let sizes = corruption.sizes(ofSource: model.context)
    guard sizes.spans <= sentinels.count else {
      throw reader.rejection(
        of: "model.vocabulary",
        because:
          "the \(sizes.spans) corrupted spans of a row need a sentinel each, and of "
          + "\(model.vocabulary) ids only \(sentinels.count) are free; make it "
          + "\(sizes.spans - sentinels.count) larger")
    }
    return corruption
  }
}
