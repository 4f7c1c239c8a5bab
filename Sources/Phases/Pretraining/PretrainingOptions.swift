import Configuration
import Models
import Training

/// The keys of a pretraining run.
package struct PretrainingOptions: PhaseOptions {
  /// The keys of the corpus.
  package struct Data: Sendable {
    /// The training corpus.
    package var corpus: PretrainingCorpus
    /// True to restrict attention to within a document.
    package var documentMask: Bool
    /// A second corpus that is replayed, or only evaluated; nil for none.
    package var replay: Replay?
  }

  /// The keys of a replayed corpus: a fraction of the rows of every step comes from it, and the
  /// model is evaluated on it as well.
  package struct Replay: Sendable {
    /// The replayed corpus.
    package var corpus: PretrainingCorpus
    /// The fraction of the rows of every step; 0 to evaluate only.
    package var fraction: Double
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
  package var model: NewModel
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

  package var inputs: [String] {
    (start.map { [$0.from] } ?? []) + (tokenizer == "bytes" ? [] : [tokenizer])
      + [data.corpus, data.replay?.corpus].compactMap(\.self).flatMap {
        $0.train + $0.validation.files
      }
  }

  /// Reads every key; throws for values that are invalid by themselves or together.
  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    let runOptions = try RunOptions(&reader, run: "runs/pretrained")
    let from = try StartOptions.optional(&reader)
    model = try NewModel(&reader)
    tokenizer = try reader.string(
      "tokenizer", default: from ?? "bytes",
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
