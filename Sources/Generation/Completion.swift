/// A completion with the log-probability of each of its tokens.
package struct Completion: Sendable, Equatable {
  /// The new tokens; the last one is the end token when `hasEnded` is true.
  package var tokens: [Int32]
  /// The log-probability of each token when it was sampled, in nats.
  ///
  /// It is taken under the whole softmax of the logits divided by the temperature, before top-k,
  /// top-p and the limit on ids. A training forward pass whose logits are divided by the same
  /// temperature gives the same number, to the last bit in a batch-invariant workspace. A greedy
  /// choice (temperature 0) has its log-probability at temperature 1.
  package var logProbabilities: [Float]
  /// True when the completion ended with the end token; false when it was cut off by `maximum` or
  /// by the model's context.
  package var hasEnded: Bool

  package init(tokens: [Int32] = [], logProbabilities: [Float] = [], hasEnded: Bool = false) {
    self.tokens = tokens
    self.logProbabilities = logProbabilities
    self.hasEnded = hasEnded
  }

  /// Returns the tokens of the completion's text: a token that ends it belongs to the text unless
  /// `isSpecial` returns true for it, as a full stop that a model's configuration names does.
  package func textTokens(_ isSpecial: (Int32) -> Bool) -> [Int32] {
    guard hasEnded, let last = tokens.last, isSpecial(last) else { return tokens }
    return tokens.dropLast()
  }
}

/// A request for completions of several prompts, generated together in one batch.
///
/// The tokens are a function of the model and of the whole request: the last bits of a matrix
/// product may depend on its number of rows, unless the workspace is batch-invariant.
package struct CompletionRequest: Sendable {
  /// Token ids to continue, or encoder inputs; none is empty, and a prompt to continue is shorter
  /// than the model's context.
  package var prompts: [[Int32]]
  /// Number of completions per prompt.
  package var samples: Int
  /// Maximum number of tokens of a completion.
  package var maximum: Int
  /// The sampling settings.
  package var sampling: Sampling
  /// The tokens that end a completion; the one that does is its last token.
  package var ends: Set<Int32>
  /// Ids at or above it are never sampled: the size of the tokenizer's vocabulary, which may be
  /// smaller than the model's.
  package var vocabulary: Int
  /// Seed of the sampling.
  package var seed: UInt64
  /// Training step of the run; 0 outside of training.
  package var step: Int
  /// Number of the first completion among all completions of the step: each number has a random
  /// stream of its own.
  package var first: Int
  /// True to continue from the newest three quarters of the context when it is full, instead of
  /// cutting off the completion.
  ///
  /// Requires a single prompt.
  package var continuesPastContext: Bool

  package init(
    prompts: [[Int32]], samples: Int = 1, maximum: Int, sampling: Sampling = Sampling(),
    ends: Set<Int32>, vocabulary: Int, seed: UInt64, step: Int = 0, first: Int = 0,
    continuesPastContext: Bool = false
  ) {
    precondition(prompts.count <= 1 || !continuesPastContext, "\(prompts.count) prompts, not one")
    self.prompts = prompts
    self.samples = samples
    self.maximum = maximum
    self.sampling = sampling
    self.ends = ends
    self.vocabulary = vocabulary
    self.seed = seed
    self.step = step
    self.first = first
    self.continuesPastContext = continuesPastContext
  }

  /// A request for the completions `sequences` of one prompt, past the context.
  package init(
    prompt: [Int32], sequences: Range<Int> = 0..<1, maximum: Int, sampling: Sampling,
    ends: Set<Int32>, vocabulary: Int, seed: UInt64, step: Int = 0
  ) {
    self.init(
      prompts: [prompt], samples: sequences.count, maximum: maximum, sampling: sampling, ends: ends,
      vocabulary: vocabulary, seed: seed, step: step, first: sequences.lowerBound,
      continuesPastContext: true)
  }
}
