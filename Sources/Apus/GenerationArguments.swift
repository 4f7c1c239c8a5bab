import ArgumentParser
import Checkpoints
import DataParallel
import Generation
import Models
import Tensors
import Tokenizers
import Training

extension TrainingOptions.PrecisionChoice: ExpressibleByArgument {}

/// How texts are generated, for the commands that do.
struct GenerationArguments: ParsableArguments {
  @Option(help: "Most new tokens.")
  var tokens = 256

  @Option(help: "Divides the logits; 0 always takes the most likely token.")
  var temperature: Float = 1

  @Option(help: "Draw from so many of the most likely tokens.")
  var topK: Int?

  @Option(help: "Draw from the most likely tokens that reach this probability together.")
  var topP: Float = 1

  @Option(help: "Threads that work together; all cores when absent.")
  var threads: Int?

  @Option(
    help: "Operands of the products: fp32, bf16, or auto: bf16 where the CPU is quicker with it.")
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

  /// The threads that work together, which whoever asks stops; nil for the calling one alone.
  func team() throws -> ThreadTeam? { try Self.team(of: threads) }

  /// A team of `threads`, or of all cores.
  static func team(of threads: Int?) throws -> ThreadTeam? {
    let size = threads ?? max(1, Cores.survey().allowed.count)
    return size > 1 ? try ThreadTeam(size: size) : nil
  }

  /// A generator with the model `loaded`, whose work `team` shares.
  func generator(_ loaded: LoadedModel, _ team: ThreadTeam?) -> Generator {
    let workspace = Workspace(precision: precision.resolved, team: team)
    let halves = workspace.precision == .bf16 ? HalfBuffer(count: loaded.layout.count) : nil
    halves?.round(loaded.parameters, 0..<loaded.layout.count)
    let network = workspace.bind(
      loaded.layout, values: loaded.parameters, halves: halves, loaded.configuration.build)
    return Generator(network, configuration: loaded.configuration, in: workspace)
  }

  /// What to generate with `loaded`.
  ///
  /// - Parameter end: The token that ends a text; that of the tokenizer when it is nil.
  func request(
    _ loaded: LoadedModel, prompt: [Int32], sequences: Range<Int>, greedy: Bool = false,
    end: Int32? = nil, seed: UInt64, step: Int = 0
  ) -> Generator.Request {
    Generator.Request(
      prompt: prompt, sequences: sequences, maximum: tokens,
      sampling: Sampling(temperature: greedy ? 0 : temperature, topK: topK, topP: topP),
      end: end ?? loaded.tokenizer.endOfText,
      vocabulary: min(loaded.tokenizer.vocabularySize, loaded.configuration.vocabulary),
      seed: seed, step: step)
  }

  /// What to answer with `loaded`, several prompts at once; see `AnswerRequest`.
  func request(
    _ loaded: LoadedModel, prompts: [[Int32]], samples: Int, end: Int32?, seed: UInt64, step: Int,
    first: Int
  ) -> AnswerRequest {
    AnswerRequest(
      prompts: prompts, samples: samples, maximum: tokens,
      sampling: Sampling(temperature: temperature, topK: topK, topP: topP),
      end: end ?? loaded.tokenizer.endOfText,
      vocabulary: min(loaded.tokenizer.vocabularySize, loaded.configuration.vocabulary), seed: seed,
      step: step, first: first)
  }
}
