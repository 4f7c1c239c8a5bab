/// What a model wrote after a prompt, with what it thought of it.
public struct Answer: Sendable, Equatable {
  /// The new tokens; where the answer ended, the last one is the end token.
  public var tokens: [Int32]
  /// log p of each of the tokens when it was chosen: under the whole softmax of the logits divided by
  /// the temperature, whatever top-k, top-p and the limit on ids left out of the draw.
  ///
  /// It is what a training forward pass gives with its logits divided by the same temperature, to the
  /// last bit in a batch-invariant workspace. A greedy choice, temperature 0, has the log-probability
  /// at temperature 1.
  public var logProbabilities: [Float]
  /// Whether it ended by itself; otherwise it was cut off by its limit or by the model's context.
  public var hasEnded: Bool

  /// See the properties.
  public init(tokens: [Int32] = [], logProbabilities: [Float] = [], hasEnded: Bool = false) {
    self.tokens = tokens
    self.logProbabilities = logProbabilities
    self.hasEnded = hasEnded
  }
}

/// Answers to several prompts, written together.
///
/// They are one unit of work: which tokens are chosen is a function of the model and of the whole
/// request, for the last bits of a product may depend on how many rows it has, unless the workspace is
/// batch-invariant.
public struct AnswerRequest: Sendable {
  /// Ids to continue, of any lengths below the model's context, or sources; none is empty.
  public var prompts: [[Int32]]
  /// Answers to each prompt.
  public var samples: Int
  /// Most tokens of an answer; one also stops where the context is full.
  public var maximum: Int
  /// How tokens are chosen.
  public var sampling: Sampling
  /// The token that ends an answer, of which it is the last.
  public var end: Int32?
  /// Ids at or above it are never chosen; the tokenizer's vocabulary, where the model's is larger.
  public var vocabulary: Int
  /// Seed of the choices.
  public var seed: UInt64
  /// Step of the run.
  public var step: Int
  /// Number of the first answer among all of the step: each has random numbers of its own.
  public var first: Int

  /// See the properties.
  public init(
    prompts: [[Int32]], samples: Int = 1, maximum: Int, sampling: Sampling = Sampling(),
    end: Int32?, vocabulary: Int, seed: UInt64, step: Int = 0, first: Int = 0
  ) {
    self.prompts = prompts
    self.samples = samples
    self.maximum = maximum
    self.sampling = sampling
    self.end = end
    self.vocabulary = vocabulary
    self.seed = seed
    self.step = step
    self.first = first
  }
}
