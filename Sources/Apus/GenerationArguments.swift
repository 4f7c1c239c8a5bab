import ArgumentParser
import Checkpoints
import DataParallel
import Generation
import Models
import Tensors
import Tokenizers
import Training

extension TrainingOptions.PrecisionChoice: ExpressibleByArgument {}

/// The options of all commands that generate text.
struct GenerationArguments: ParsableArguments {
  @Option(help: "Maximum number of new tokens.")
  var tokens = 256

  @Option(help: "Sampling temperature, which divides the logits; 0 is greedy.")
  var temperature: Float = 1

  @Option(help: "Sample from the K most likely tokens only (default: all).")
  var topK: Int?

  @Option(help: "Sample from the smallest set of tokens with at least this probability.")
  var topP: Float = 1

  @Option(help: "Number of threads (default: all cores).")
  var threads: Int?

  @Option(
    help: "Operand precision of the matrix products: fp32, bf16, or auto (bf16 if faster here).")
  var precision = TrainingOptions.PrecisionChoice.auto

  func validate() throws {
    if tokens < 0 { throw ValidationError("--tokens must not be negative, but is \(tokens).") }
    if !(temperature >= 0 && temperature.isFinite) {
      throw ValidationError("--temperature must be 0 or more, not \(temperature).")
    }
    if let threads, threads < 1 {
      throw ValidationError("--threads must be at least 1, not \(threads).")
    }
    if let topK, topK < 1 { throw ValidationError("--top-k must be at least 1, not \(topK).") }
    if !(topP > 0 && topP <= 1) {
      throw ValidationError("--top-p must be in 0…1 and not 0, but is \(topP).")
    }
  }

  /// The thread team, which the caller must stop; nil for one thread.
  func team() throws -> ThreadTeam? { try Self.team(of: threads) }

  /// A team of `threads` threads, or of one per core; nil for one thread.
  static func team(of threads: Int?) throws -> ThreadTeam? {
    let size = threads ?? max(1, Cores.survey().allowed.count)
    return size > 1 ? try ThreadTeam(size: size) : nil
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

  /// A request to continue one prompt with `loaded`.
  ///
  /// - Parameter end: The token that ends a text; the tokenizer's end of text if nil.
  func request(
    _ loaded: LoadedModel, prompt: [Int32], sequences: Range<Int>, greedy: Bool = false,
    end: Int32? = nil, seed: UInt64, step: Int = 0
  ) -> CompletionRequest {
    CompletionRequest(
      prompt: prompt, sequences: sequences, maximum: tokens,
      sampling: Sampling(temperature: greedy ? 0 : temperature, topK: topK, topP: topP),
      end: end ?? loaded.tokenizer.endOfText,
      vocabulary: min(loaded.tokenizer.vocabularySize, loaded.configuration.vocabulary),
      seed: seed, step: step)
  }

  /// A request to answer several prompts in one batch with `loaded`.
  func request(
    _ loaded: LoadedModel, prompts: [[Int32]], samples: Int, end: Int32?, seed: UInt64, step: Int,
    first: Int
  ) -> CompletionRequest {
    CompletionRequest(
      prompts: prompts, samples: samples, maximum: tokens,
      sampling: Sampling(temperature: temperature, topK: topK, topP: topP),
      end: end ?? loaded.tokenizer.endOfText,
      vocabulary: min(loaded.tokenizer.vocabularySize, loaded.configuration.vocabulary), seed: seed,
      step: step, first: first)
  }
}
