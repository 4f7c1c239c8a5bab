import ArgumentParser
import Checkpoints
import DataParallel
import Datasets
import Foundation
import Generation
import Models
import Tensors
import Tokenizers
import Training

/// `apus generate`: continues a prompt, streamed to the terminal.
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Continue a text with a trained model.",
    discussion: "apus generate runs/aviary \"Once\" --temperature 0.8")

  @Argument(help: "A run folder, a checkpoint, or a Hugging Face folder with tokenizer.json.")
  var model: String

  @Argument(
    help: "Text to continue, or the source of an encoder–decoder; a new document when absent.")
  var prompt: String?

  @Option(help: "Ids to continue instead of a text, separated by commas.")
  var ids: String?

  @Flag(help: "Always take the most likely token.")
  var greedy = false

  @Option(help: "Seed of the choices.")
  var seed: UInt64 = 1

  @Option(help: "Texts to generate, each from its own random numbers.")
  var samples = 1

  @OptionGroup var generation: GenerationArguments

  @Flag(help: "Ask a model that was fine-tuned on conversations; the text is the user's message.")
  var chat = false

  func validate() throws {
    if samples < 1 { throw ValidationError("--samples must be at least 1, not \(samples).") }
    if chat && prompt == nil { throw ValidationError("--chat needs the text of a message.") }
    if prompt != nil && ids != nil {
      throw ValidationError("Give a prompt or --ids, not both.")
    }
  }

  /// The chat that the model was fine-tuned on; nil for continuing a text.
  private func encoder(_ loaded: LoadedModel) throws -> ChatEncoder? {
    guard chat else { return nil }
    guard let template = try TokenizerFile.template(from: loaded.path, for: loaded.tokenizer) else {
      throw Failure.Refusal(
        "\(loaded.path) has no chat template, so nobody knows how it is asked: fine-tune it on "
          + "conversations first, or leave out --chat to continue a text.")
    }
    return ChatEncoder(template, tokenizer: loaded.tokenizer)
  }

  func run() throws {
    MatrixLibrary.useCallingThreadOnly()
    let loaded = try LoadedModel(writerAt: model, allowingTargets: true)
    loaded.notes.forEach(Failure.report)
    let encoder = try encoder(loaded)
    let prompt = try promptIDs(loaded, encoder)
    let team = try generation.team()
    defer { team?.stop() }
    let generate = generation.generator(loaded, team)
    let request = generation.request(
      loaded, prompt: prompt, sequences: 0..<samples, greedy: greedy,
      end: encoder?.endOfTurn, seed: seed)
    let isTarget = loaded.configuration.prediction == .target
    let opening = encoder == nil && !isTarget ? Array((self.prompt ?? "").utf8) : []
    // One text appears as it is written; several are written together and appear one by one, and so
    // does a target, which is decoded whole: it goes on with nothing, and begins without a space.
    if samples == 1 && !isTarget {
      try StandardOutput.write(opening)
      _ = try generate(request) { _, id in
        try StandardOutput.write(try loaded.tokenizer.bytes(of: id))
      }
      return try StandardOutput.print("")
    }
    for ids in generate(request) {
      let text =
        isTarget
        ? try loaded.tokenizer.bytes(of: ids)
        : Array(try ids.map { try loaded.tokenizer.bytes(of: $0) }.joined())
      try StandardOutput.write(opening + text + "\n".utf8)
    }
  }

  private func promptIDs(_ loaded: LoadedModel, _ encoder: ChatEncoder?) throws -> [Int32] {
    var prompt: [Int32]
    if let ids {
      prompt = try ids.split(separator: ",").map { word in
        let text = word.trimmingCharacters(in: .whitespaces)
        guard let id = Int32(text) else {
          throw Failure.Refusal("--ids: \"\(text)\" is not a token id: ids are whole numbers.")
        }
        return id
      }
    } else if let encoder {
      prompt = try encoder.encode(prompt: [Message(.user, self.prompt ?? "")])
    } else if loaded.configuration.prediction == .target {
      prompt = SourceTargetSet.source(self.prompt ?? "", loaded.tokenizer)
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
    guard loaded.configuration.start != nil || prompt.count < loaded.configuration.context else {
      throw Failure.Refusal(
        "The prompt has \(prompt.count) tokens and \(model) a context of "
          + "\(loaded.configuration.context), one of which is for the answer: shorten the prompt.")
    }
    return prompt
  }
}
