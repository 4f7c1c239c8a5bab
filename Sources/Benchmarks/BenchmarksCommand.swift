import ArgumentParser
import Foundation
import Tensors

/// `apus-bench`: what this machine can do, and how much of it a training step uses.
///
/// Every figure is measured in a process of its own, so that memory and threads of one do not
/// disturb another.
@main
struct BenchmarksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apus-bench",
    abstract: "Measure products, memory, attention, exchange, training, generation, tokenizer.",
    discussion: """
      With --python, or PYTHON in the environment, the same work by PyTorch, transformers and \
      tokenizers runs in turn with ours (A B A B).
      """,
    subcommands: [RunCommand.self, MeasureCommand.self], defaultSubcommand: RunCommand.self)

  static func main() {
    MatrixLibrary.restartIfKernelsAreOutdated()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let refusal as Refusal {
      Refusal.tell(refusal.description)
      Foundation.exit(refusal.code)
    } catch {
      exit(withError: error)
    }
  }
}
