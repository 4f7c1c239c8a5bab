import ArgumentParser
import Tensors

/// The program: `apus SUBCOMMAND …`, subcommands in the order a user meets them.
@main
struct ApusCommand: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "apus",
    abstract:
      "Distributed training of language models on CPUs: the same bits on any number of ranks.",
    version: version,
    subcommands: [
      DataCommand.self, TokenizerCommand.self, ConfigCommand.self, PretrainCommand.self,
      FinetuneCommand.self, AnnotateCommand.self, RewardCommand.self, AlignCommand.self,
      EvaluateCommand.self, ModelCommand.self, ExportCommand.self, GenerateCommand.self,
      EmbedCommand.self, RunCommand.self,
    ])

  static func main() {
    StandardOutput.holdStreams()
    MatrixLibrary.restartIfKernelsAreOutdated()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      Failure.exit(error)
    }
  }
}
