import Configuration
import Datasets
import Models
import Tokenizers

// Span corruption, the training objective of sequence-to-sequence models.

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

extension SpanCorruption {
  /// Returns the number of sentinels that a new model adds to a vocabulary without any, as in the
  /// published T5; 0 if `tokenizer` has its own.
  static func missingSentinels(_ tokenizer: any Tokenizer) -> Int {
    tokenizer.specialToken(name(ofSentinel: 0)) == nil ? 100 : 0
  }

  /// The span corruption of texts of `tokenizer` for a sequence-to-sequence `model`.
  init(
    fraction: Double = 0.15, meanSpan: Double = 3, of tokenizer: any Tokenizer,
    for model: any ModelConfiguration
  ) {
    let end = tokenizer.endOfText
    self.init(
      fraction: fraction, meanSpan: meanSpan,
      sentinels: SpanCorruption.sentinels(of: tokenizer, vocabulary: model.vocabulary),
      start: model.start.map { TokenID($0) } ?? end, end: end,
      padding: model.padding.map { TokenID($0) } ?? end)
  }
}

extension PretrainingOptions {
  /// Returns the sizes of a row for `model`; nil for models without an encoder.
  func sketchRow(_ model: any ModelConfiguration) -> TextRow? {
    guard model.prediction == .sequenceToSequence else { return nil }
    // The sizes do not depend on the ids.
    let corruption = SpanCorruption(
      fraction: spans.fraction, meanSpan: spans.mean, sentinels: [], start: 0, end: 0, padding: 0)
    return SpanCorruptionTask(corruption: corruption)
      .row(context: start?.context ?? model.context)
  }

  /// Returns the span corruption of texts of `tokenizer`, in encoder inputs of `context` positions,
  /// for a sequence-to-sequence `model`.
  func corruption(
    _ tokenizer: any Tokenizer, for model: any ModelConfiguration, context: Int,
    _ reader: ConfigurationReader
  ) throws(ConfigurationError) -> SpanCorruption {
    let corruption = SpanCorruption(
      fraction: spans.fraction, meanSpan: spans.mean, of: tokenizer, for: model)
    let (spans, free) = (corruption.sizes(ofSource: context).spans, corruption.sentinels.count)
    guard spans <= free else {
      throw reader.rejection(
        of: "model.vocabulary",
        because:
          "the \(spans) corrupted spans of a row need a sentinel each, and of "
          + "\(model.vocabulary) ids only \(free) are free; make it \(spans - free) larger")
    }
    return corruption
  }
}
