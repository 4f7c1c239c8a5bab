import ArgumentParser
import Checkpoints
import Foundation
import Generation
import Models
import Tensors
import Tokenizers

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

  func validate() throws {
    if tokens < 0 { throw ValidationError("--tokens must not be negative, but is \(tokens).") }
    if samples < 1 { throw ValidationError("--samples must be at least 1, not \(samples).") }
    if !(temperature >= 0 && temperature.isFinite) {
      throw ValidationError("--temperature must be 0 or more, not \(temperature).")
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
    let prompt = try promptIDs(loaded)
    let workspace = Workspace()
    let network = workspace.bind(
      loaded.layout, values: loaded.parameters, loaded.configuration.build)
    let generate = Generator(network, configuration: loaded.configuration, in: workspace)
    let output = FileHandle.standardOutput
    for sample in 0..<samples {
      if let text = self.prompt { output.write(Data(text.utf8)) }
      _ = try generate(
        .init(
          prompt: prompt, sequences: sample..<sample + 1, maximum: tokens,
          sampling: Sampling(temperature: greedy ? 0 : temperature, topK: topK, topP: topP),
          end: loaded.tokenizer.endOfText,
          vocabulary: min(loaded.tokenizer.vocabularySize, loaded.configuration.vocabulary),
          seed: seed)
      ) { _, id in output.write(Data(try loaded.tokenizer.bytes(of: id))) }
      output.write(Data("\n".utf8))
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
