import ArgumentParser
import Checkpoints
import DataParallel
import Generation
import Models
import Tensors
import Training

extension TrainingOptions.PrecisionChoice: ExpressibleByArgument {}

/// The options of all commands that generate text.
struct GenerationArguments: ParsableArguments {
  @Option(help: "Maximum number of new tokens (default: 256).")
  var tokens: Int?

  /// The greatest number of new tokens of a text, and of texts.
  static let most = (tokens: 1_000_000_000, samples: 1_000_000)

  /// The maximum where neither an option nor a model's configuration states one.
  static let usualTokens = 256

  @Option(help: "Sampling temperature, which divides the logits; 0 is greedy (default: 1).")
  var temperature: Float?

  @Option(help: "Sample from the K most likely tokens only (default: all).")
  var topK: Int?

  @Option(
    help: "Sample from the smallest set of tokens with at least this probability (default: 1).")
  var topP: Float?

  @OptionGroup var threads: ThreadArguments

  @Option(
    help: "Operand precision of the matrix products: fp32, bf16, or auto (bf16 if faster here).")
  var precision = TrainingOptions.PrecisionChoice.auto

  func validate() throws {
    if let tokens, tokens < 0 {
      throw ValidationError("--tokens must not be negative, but is \(tokens).")
    }
    if let tokens, tokens > Self.most.tokens {
      throw ValidationError("--tokens must be at most \(Self.most.tokens), not \(tokens).")
    }
    if let temperature, !(temperature >= 0 && temperature.isFinite) {
      throw ValidationError("--temperature must be 0 or more, not \(temperature).")
    }
    try requireOneOrMore(topK, of: "--top-k")
    if let topP, !(topP > 0 && topP <= 1) {
      throw ValidationError("--top-p must be in 0…1 and not 0, but is \(topP).")
    }
  }

  /// The sampling that the options ask for.
  var sampling: Sampling {
    Sampling(temperature: temperature ?? 1, topK: topK, topP: topP ?? 1)
  }

  /// True when no option says how to sample.
  var asksForNoSampling: Bool { temperature == nil && topK == nil && topP == nil }

  /// The sampling that `published` asks for; nil when it asks for none, or an option is given.
  func sampling(of published: GenerationConfiguration) -> Sampling? {
    guard asksForNoSampling else { return nil }
    let sampling = Sampling(
      temperature: published.isSampled == false ? 0 : published.temperature ?? 1,
      topK: published.topK, topP: published.topP ?? 1)
    return sampling == Sampling() ? nil : sampling
  }

  /// Reports on standard error that `auto` chose bf16, because other programs use it only when asked.
  func reportPrecision() {
    guard precision == .auto, precision.resolved == .bf16 else { return }
    Failure.report(
      "computing in bf16, which is faster on this CPU; --precision fp32 gives the texts of "
        + "transformers' default.")
  }

  /// A generator for the model `loaded` that computes on `team`.
  func generator(_ loaded: LoadedModel, _ team: ThreadTeam?) -> Generator {
    let workspace = Workspace(precision: precision.resolved, team: team)
    let bf16Copy = workspace.precision == .bf16 ? BF16Buffer(count: loaded.layout.count) : nil
    bf16Copy?.round(loaded.parameters, 0..<loaded.layout.count)
    let network = workspace.bind(
      loaded.layout, values: loaded.parameters, bf16Copy: bf16Copy, loaded.configuration.build)
    return Generator(network, configuration: loaded.configuration, in: workspace)
  }

  /// A request to answer `prompts` with `loaded`; a text ends where the tokenizer's or the model's
  /// configuration says.
  ///
  /// - Parameters:
  ///   - end: A further token that ends a text, such as the end of a turn.
  ///   - continuesPastContext: True for a single prompt whose answers may exceed the context.
  func request(
    _ loaded: LoadedModel, prompts: [[Int32]], samples: Int, first: Int = 0, end: Int32?,
    seed: UInt64, step: Int = 0, continuesPastContext: Bool = false
  ) -> CompletionRequest {
    // As in transformers, the ids of the model's settings replace the tokenizer's.
    let ends = loaded.generation.ends
    let other = end.map { [$0] } ?? (ends.isEmpty ? [loaded.tokenizer.endOfText] : [])
    return CompletionRequest(
      prompts: prompts, samples: samples, maximum: tokens ?? Self.usualTokens,
      sampling: sampling, ends: Set(ends + other),
      vocabulary: min(loaded.tokenizer.vocabularySize, loaded.configuration.vocabulary), seed: seed,
      step: step, first: first, continuesPastContext: continuesPastContext)
  }
}
