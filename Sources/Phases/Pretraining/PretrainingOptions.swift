import Configuration
import Training

/// The keys of a pretraining run.
package struct PretrainingOptions: Sendable {
  /// The keys of the corpus.
  package struct Data: Sendable {
    /// Files, folders and globs, or the folder of a built dataset.
    package var train: [String]
    /// The fraction of the documents that is held out when no files are given.
    package var validationFraction: Double
    /// Files, folders and globs to validate on; empty to hold out a fraction.
    package var validation: [String]
    /// The field of JSON lines that holds the text.
    package var textField: String
    /// True to restrict attention to within a document.
    package var documentMask: Bool
    /// A second corpus that is replayed, or only evaluated; nil for none.
    package var replay: Replay?
  }

  /// The keys of a replayed corpus: a fraction of the rows of every step comes from it, and the
  /// model is evaluated on it as well.
  package struct Replay: Sendable {
    /// Files, folders and globs, or the folder of a built dataset.
    package var train: [String]
    /// The fraction of the rows of every step; 0 to evaluate only.
    package var fraction: Double
    /// The fraction of the documents that is held out when no files are given.
    package var validationFraction: Double
    /// Files, folders and globs to validate on; empty to hold out a fraction.
    package var validation: [String]
  }

  /// The keys of a new model.
  package struct Model: Sendable {
    package var family: Family
    /// The number of blocks.
    package var layers: Int
    /// The number of query heads.
    package var heads: Int
    /// The number of key and value heads; nil for as many as query heads.
    package var keyHeads: Int?
    /// The width of the residual stream.
    package var width: Int
    /// The width of the feed-forward layers; nil for the family's ratio.
    package var hidden: Int?
    /// The maximum sequence length as configured; nil when the key is absent.
    package var typedContext: Int?
    /// The maximum sequence length of a new model.
    package var context: Int { typedContext ?? 256 }
    /// The dropout probability.
    package var dropout: Double
    /// The vocabulary size; nil for the tokenizer's.
    package var vocabulary: Int?
    /// True to tie the head to the token embedding; nil for the family's default.
    package var tied: Bool?
    /// The standard deviation of the initial weights.
    package var initialStd: Double
    /// The number of decoder blocks of T5; nil for as many as encoder blocks.
    package var decoderLayers: Int?
    /// True for the gated feed-forward of T5 1.1.
    package var isGated: Bool
  }

  /// Families that can be pretrained.
  package enum Family: String, Sendable, CaseIterable {
    case gpt2
    case llama
    case bert
    case t5
  }

  /// The keys of BERT's masking.
  package struct Mask: Sendable {
    /// The fraction of the tokens, or words, to predict.
    package var fraction: Double
    /// True to mask all tokens of a word together.
    package var wholeWords: Bool
  }

  /// The keys of every run.
  package var training: TrainingOptions
  /// The initial model; nil for a new one.
  package var start: StartOptions?
  /// The sizes of a new model.
  package var model: Model
  /// `bytes`, or the path of a folder or a `tokenizer.json`.
  package var tokenizer: String
  /// The corpus.
  package var data: Data
  /// BERT's masking.
  package var mask: Mask
  /// T5's span corruption.
  package var spans: Spans
  /// The approximate number of validation tokens of an evaluation.
  package var evaluateTokens: Int
  /// The number of texts that an evaluation samples for the log.
  package var evaluateSamples: Int

  /// Reads every key; throws for values that are invalid by themselves or together.
  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    let runOptions = try RunOptions(&reader, run: "runs/pretrained")
    let from = try StartOptions.optional(&reader)
    model = try Model(&reader)
    tokenizer = try reader.string(
      "tokenizer", default: "bytes",
      decidesBits: false,
      help: "bytes, a folder, or a tokenizer.json; with model.from that model's tokenizer, or an "
        + "extension of it made by apus tokenizer extend")
    let context = model.typedContext
    start = from.map { StartOptions(from: $0, context: context) }
    data = try Data(&reader)
    mask = try Mask(&reader)
    spans = try Spans(&reader)
    training = try TrainingOptions(&reader, runOptions)
    evaluateTokens = try reader.integer(
      "evaluate.tokens", default: 131_072, in: 1..., unit: "tokens",
      decidesBits: false,
      help: "approximate number of validation tokens per evaluation, evenly spaced over the set")
    evaluateSamples = try reader.integer(
      "evaluate.samples", default: 0, in: 0...1000, decidesBits: false,
      help: "number of texts to sample for the log at every evaluation of a causal model")
    try refuseSizes(reader)
    if start != nil { return }
    try refuseIdle(model.family.prediction, reader)
    if model.width % model.heads != 0 {
      throw reader.rejection(
        of: "model.heads",
        because: "\(model.heads) heads do not divide the width \(model.width); choose a divisor")
    }
  }
}
