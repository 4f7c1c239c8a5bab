import ArgumentParser
import Checkpoints

/// `apus export`: a model as a Hugging Face folder of its own, low-rank maps merged.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a model as a Hugging Face folder; low-rank maps are merged into its weights.",
    discussion: "apus export runs/chat --output chat-model")

  @Argument(help: "A run folder, a checkpoint, or a Hugging Face folder.")
  var model: String

  @Option(help: "The folder to write, which must not exist.")
  var output: String

  func run() throws {
    let folder = try ModelFolder(path: model)
    try ModelExport.write(folder, to: output).forEach(Failure.report)
    try StandardOutput.print(
      "\(output): written and read again; its weights and \(folder.outputs) are those of "
        + "\(folder.path), to the last bit")
  }
}
