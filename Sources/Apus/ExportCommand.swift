import ArgumentParser
import Checkpoints

/// The type of the numbers in a weights file, as an option of the command line.
enum WeightType: String, CaseIterable, ExpressibleByArgument {
  case fp32, fp16, bf16

  /// The name of the type in the safetensors format.
  var elements: SafeTensor.DType {
    switch self {
    case .fp32: .f32
    case .fp16: .f16
    case .bf16: .bf16
    }
  }
}

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

  @Option(
    help: "Type of the weights: fp32, fp16 or bf16; by default that of the model's own files.")
  var dtype: WeightType?

  var inputs: [String] { [model] }
  var outputs: [String] { [output] }
  var newFolders: [String] { [output] }

  func run() throws {
    let folder = try ModelFolder(path: model)
    try ModelExport.write(folder, to: output, as: dtype?.elements).forEach(Failure.report)
    let source = folder.path + (dtype.map { " in \($0)" } ?? "")
    try StandardOutput.print(
      "\(output): written and verified; its weights and \(folder.outputs) equal those of "
        + "\(source) bit for bit")
  }
}
