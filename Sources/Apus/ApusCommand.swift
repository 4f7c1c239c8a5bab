import ArgumentParser
import Faults
import MPI
import Tensors
import Training

/// The program `apus`, with its subcommands in the order in which a user meets them.
@main
struct ApusCommand: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "apus",
    abstract:
      "Train language models on CPUs with MPI: the same bits on any number of ranks.",
    version: "\(version) (\(MPIEnvironment.libraryVersion))",
    subcommands: [
      DoctorCommand.self, PlanCommand.self, DataCommand.self, TokenizerCommand.self,
      ConfigCommand.self, PretrainCommand.self,
      FinetuneCommand.self, AnnotateCommand.self, RewardCommand.self, AlignCommand.self,
      EvaluateCommand.self, ModelCommand.self, ExportCommand.self, GenerateCommand.self,
      EmbedCommand.self, RunCommand.self, LaunchCommand.self, DebugCommand.self,
    ])

  static func main() {
    Signals.prepare(rank: Ranks.own)
    StandardOutput.reserveStreams()
    MatrixLibrary.reexecuteIfKernelsAreOutdated()
    if let fault = MatrixLibrary.environmentFault { Failure.refuse(fault) }
    do {
      try FaultSchedule.prepare(rank: Ranks.own)
      var command = try command(from: Array(CommandLine.arguments.dropFirst()))
      if let files = command as? any Subcommand, files.outputs.contains("") {
        throw ValidationError("--output is empty: name a file or folder.")
      }
      if command is any TrainingSubcommand { Signals.endStartOnStopRequests() }
      if Ranks.own > 0, !(command is any CollectiveSubcommand) { return }
      try command.run()
    } catch {
      Failure.exit(error)
    }
  }
}
