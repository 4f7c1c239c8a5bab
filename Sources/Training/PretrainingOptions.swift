import Configuration

/// What the user typed about a pretraining run: the keys of every run, and its own.
public struct PretrainingOptions: Sendable {
  /// Where documents come from.
  public struct Data: Sendable {
    /// Files, folders and globs, `aviary`, or the folder of a built dataset.
    public var train: [String]
    /// A share of the documents, when no files are given.
    public var validationShare: Double
    /// Files, folders and globs to validate on; empty for a share.
    public var validation: [String]
    /// Stories to write when the source is `aviary`.
    public var stories: Int
    /// Field of JSON lines.
    public var textField: String
    /// Whether attention stays within a document.
    public var documentMask: Bool
    /// Another corpus that is learned, or only measured, beside; nil for none.
    public var replay: Replay?
  }

  /// A corpus of which a share of the rows is drawn, and on which the model is measured as well.
  public struct Replay: Sendable {
    /// Files, folders and globs, or the folder of a built dataset.
    public var train: [String]
    /// Share of the rows of every step; 0 where it is only measured.
    public var share: Double
    /// A share of the documents, when no files are given.
    public var validationShare: Double
    /// Files, folders and globs to validate on; empty for a share.
    public var validation: [String]
  }

  /// The model's sizes as typed.
  public struct Model: Sendable {
    /// Which family.
    public var family: Family
    /// Blocks.
    public var layers: Int
    /// Query heads.
    public var heads: Int
    /// Key heads, or nil for as many as query heads.
    public var keyHeads: Int?
    /// Residual width.
    public var width: Int
    /// Hidden width, or nil for the family's ratio.
    public var hidden: Int?
    /// Longest sequence as typed; nil where it is not.
    public var typedContext: Int?
    /// Longest sequence of a model that is made.
    public var context: Int { typedContext ?? 256 }
    /// Share dropped.
    public var dropout: Double
    /// Vocabulary, or nil for the tokenizer's.
    public var vocabulary: Int?
    /// Whether head and embedding are one, or nil for the family's habit.
    public var tied: Bool?
    /// Standard deviation of the first weights.
    public var initialDeviation: Double
    /// Blocks of a decoder beside an encoder; those of the encoder when nil.
    public var decoderLayers: Int?
    /// Whether T5's feed-forward is gated.
    public var isGated: Bool
  }

  /// Families that can be pretrained.
  public enum Family: String, Sendable, CaseIterable {
    /// GPT-2.
    case gpt2
    /// Llama.
    case llama
    /// BERT.
    case bert
    /// T5.
    case t5
  }

  /// What of a text a masked-token model has to tell.
  public struct Mask: Sendable {
    /// Share of the tokens, or words.
    public var share: Double
    /// Whether the tokens of a word are masked together.
    public var wholeWords: Bool
  }

  /// The keys of every run.
  public var training: TrainingOptions
  /// The model that training goes on from; nil where one is made.
  public var start: StartOptions?
  /// The model that is made.
  public var model: Model
  /// `bytes`, or a folder or `tokenizer.json`.
  public var tokenizer: String
  /// The data.
  public var data: Data
  /// What is masked.
  public var mask: Mask
  /// What is taken out.
  public var spans: Spans
  /// About how many validation tokens an evaluation reads.
  public var evaluateTokens: Int
  /// Stories written and checked at an evaluation, when the data is `aviary`.
  public var evaluateStories: Int

  /// Reads every key; refuses what the keys themselves cannot mean.
  public init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    let place = try RunPlace(&reader, run: "runs/aviary")
    let from = try StartOptions.optional(&reader)
    model = try Model(&reader)
    tokenizer = try reader.string(
      "tokenizer", default: "bytes",
      help: "bytes, or a folder or tokenizer.json; with model.from that model's, or one that apus "
        + "tokenizer extend made of it")
    let context = model.typedContext
    start = from.map { StartOptions(from: $0, context: context) }
    data = try Data(&reader)
    mask = try Mask(&reader)
    spans = try Spans(&reader)
    training = try TrainingOptions(&reader, at: place)
    evaluateTokens = try reader.integer(
      "evaluate.tokens", default: 131_072, in: 1..., unit: "tokens",
      help: "about how much of the validation set is read, evenly spaced")
    evaluateStories = try reader.integer(
      "evaluate.stories", default: 64, in: 0...1_000_000,
      help: "stories written and checked at an evaluation, when data.train is an aviary")
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
