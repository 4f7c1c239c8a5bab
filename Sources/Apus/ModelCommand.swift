import ArgumentParser
import Checkpoints

/// `apus model`: sizes and memory of models.
struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Inspect a model.", subcommands: [Inspect.self])

  struct Inspect: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Print sizes, and the memory to train and to serve, without reading weights.",
      discussion: """
        Reads config.json, the tokenizer and the headers of the weight files only. Memory counts \
        the weights and, in training, one gradient and AdamW's two moments. Activations (which \
        grow with the batch) and the gradients of further workers come on top; ranks shard moments.
        """)

    @Argument(help: "Run folder, checkpoint or Hugging Face folder.")
    var model: String

    @Option(help: "LoRA rank of the estimate with adapters on every linear layer.")
    var loraRank = 8

    @Flag(help: "Print one JSON object.")
    var json = false

    var inputs: [String] { [model] }

    func validate() throws {
      if !(1...4096).contains(loraRank) {
        throw ValidationError("--lora-rank must be in 1…4096, not \(loraRank).")
      }
    }

    func run() throws {
      let inspection = try ModelInspection(ModelFolder(unverified: model))
      inspection.notes.forEach(Failure.report)
      let sizes = try ModelSizes(inspection, loraRank: loraRank)
      if json {
        try StandardOutput.print(json: sizes)
      } else {
        try StandardOutput.print(sizes.text)
      }
    }
  }
}
