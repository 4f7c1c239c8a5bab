import ArgumentParser
import Checkpoints
import Foundation

/// `apus model`: a look at models.
struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Look into a model's folder.", subcommands: [Inspect.self])

  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show sizes, and the memory to train and to serve, without reading weights.",
      discussion: """
        From config.json, the tokenizer and the headers of the files alone. Memory is that of what \
        is always there: weights, in training one gradient and AdamW's two moments. Activations, \
        which grow with the batch, and further gradients of further threads come on top; several \
        ranks share the moments.
        """)

    @Argument(help: "A run folder, a checkpoint, or a Hugging Face folder.")
    var model: String

    @Option(help: "Rank of the low-rank maps of the line on LoRA, beside every linear map.")
    var loraRank = 8

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
      if !(1...4096).contains(loraRank) {
        throw ValidationError("--lora-rank must be in 1…4096, not \(loraRank).")
      }
    }

    func run() throws {
      let inspection = try ModelInspection(ModelFolder(unverified: model))
      inspection.notes.forEach(Failure.report)
      let sizes = try ModelSizes(inspection, loraRank: loraRank)
      guard json else { return try StandardOutput.print(sizes.text) }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      try StandardOutput.print(String(decoding: try encoder.encode(sizes), as: UTF8.self))
    }
  }
}
