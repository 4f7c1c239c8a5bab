import ArgumentParser
import Checkpoints

/// `apus export`: writes a model as a Hugging Face folder, with LoRA adapters merged.
struct ExportCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Export a model as a Hugging Face folder, with LoRA adapters merged.",
    discussion: "apus export runs/chat --output chat-model")

  @Argument(help: "Run folder, checkpoint or Hugging Face folder.")
  var model: String

  @Option(help: "Folder to write, which must not exist.")
  var output: String

  var inputs: [String] { [model] }
  var outputs: [String] { [output] }

  func run() throws {
    let folder = try ModelFolder(path: model)
    try ModelExport.write(folder, to: output).forEach(Failure.report)
    try StandardOutput.print(
      "\(output): written and verified; its weights and \(folder.outputs) equal those of "
        + "\(folder.path) bit for bit")
  }
}
