import ArgumentParser
import Checkpoints
import DataParallel
import Foundation
import Generation
import Models
import Tensors
import Tokenizers
import Training

extension TrainingOptions.PrecisionChoice: ExpressibleByArgument {}

/// `apus generate`: continues a prompt, streamed to the terminal.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Continue a text with a trained model.",
    discussion: "apus generate runs/aviary \"Once\" --temperature 0.8")

  @Argument(help: "A run folder, a checkpoint, or a Hugging Face folder with tokenizer.json.")
  var model: String

  @Argument(help: "Text to continue; a new document when absent.")
  var prompt: String?

  @Option(help: "Ids to continue instead of a text, separated by commas.")
  var ids: String?

  @Option(help: "Most new tokens.")
  var tokens = 256

  @Option(help: "Divides the logits; 0 always takes the most likely token.")
  var temperature: Float = 1

  @Option(help: "Draw from so many of the most likely tokens.")
  var topK: Int?

  @Option(help: "Draw from the most likely tokens that reach this probability together.")
  var topP: Float = 1

  @Flag(help: "Always take the most likely token.")
  var greedy = false

  @Option(help: "Seed of the choices.")
  var seed: UInt64 = 1

  @Option(help: "Texts to generate, each from its own random numbers.")
  var samples = 1

  @Option(help: "Threads that work together; all cores when absent.")
  var threads: Int?

  @Option(
    help: "Operands of the products: fp32, bf16, or auto: bf16 where the CPU is quicker with it.")
  var precision = TrainingOptions.PrecisionChoice.auto

  func validate() throws {
    if tokens < 0 { throw ValidationError("--tokens must not be negative, but is \(tokens).") }
    if samples < 1 { throw ValidationError("--samples must be at least 1, not \(samples).") }
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
    if prompt != nil && ids != nil {
      throw ValidationError("Give a prompt or --ids, not both.")
    }
  }

  func run() throws {
    MatrixLibrary.useCallingThreadOnly()
    let loaded = try LoadedModel(path: model)
    for checkpoint in loaded.passedOver {
      Failure.report("\(checkpoint.name) is passed over for \(loaded.path): \(checkpoint.reason).")
    }
    let prompt = try promptIDs(loaded)
    let size = threads ?? max(1, Cores.survey().allowed.count)
    let team = size > 1 ? try ThreadTeam(size: size) : nil
    defer { team?.stop() }
    let workspace = Workspace(precision: precision.resolved, team: team)
    let halves = workspace.precision == .bf16 ? HalfBuffer(count: loaded.layout.count) : nil
    halves?.round(loaded.parameters, 0..<loaded.layout.count)
    let network = workspace.bind(
      loaded.layout, values: loaded.parameters, halves: halves, loaded.configuration.build)
    let generate = Generator(network, configuration: loaded.configuration, in: workspace)
    let request = Generator.Request(
      prompt: prompt, sequences: 0..<samples, maximum: tokens,
      sampling: Sampling(temperature: greedy ? 0 : temperature, topK: topK, topP: topP),
      end: loaded.tokenizer.endOfText,
      vocabulary: min(loaded.tokenizer.vocabularySize, loaded.configuration.vocabulary),
      seed: seed)
    let opening = Array((self.prompt ?? "").utf8)
    // One text appears as it is written; several are written together and appear one by one.
    if samples == 1 {
      try StandardOutput.write(opening)
      _ = try generate(request) { _, id in
        try StandardOutput.write(try loaded.tokenizer.bytes(of: id))
      }
      return try StandardOutput.print("")
    }
    for ids in generate(request) {
      let text = try ids.map { try loaded.tokenizer.bytes(of: $0) }.joined()
      try StandardOutput.write(opening + text + "\n".utf8)
    }
  }

  private func promptIDs(_ loaded: LoadedModel) throws -> [Int32] {
    var prompt: [Int32]
    if let ids {
      prompt = try ids.split(separator: ",").map { word in
        let text = word.trimmingCharacters(in: .whitespaces)
        guard let id = Int32(text) else {
          throw Failure.Refusal("--ids: \"\(text)\" is not a token id: ids are whole numbers.")
        }
        return id
      }
    } else {
      prompt = loaded.tokenizer.encode(self.prompt ?? "")
    }
    if prompt.isEmpty { prompt = [loaded.tokenizer.endOfText] }
    let vocabulary = loaded.configuration.vocabulary
    if let id = prompt.first(where: { $0 < 0 || Int($0) >= vocabulary }) {
      throw Failure.Refusal(
        "The prompt has the id \(id), which is outside the model's vocabulary 0..<\(vocabulary): "
          + "use ids of its own tokenizer.")
    }
    guard prompt.count < loaded.configuration.context else {
      throw Failure.Refusal(
        "The prompt has \(prompt.count) tokens and \(model) a context of "
          + "\(loaded.configuration.context), one of which is for the answer: shorten the prompt.")
    }
    return prompt
  }
}
