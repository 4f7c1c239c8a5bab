import ArgumentParser
import Foundation
import Tensors

/// `apus-bench`: measures the machine, and how much of it Apus uses.
///
/// Every measurement has its own process, so that memory and threads of one do not disturb another.
@main
struct BenchmarksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apus-bench",
    abstract: "Benchmark GEMM, memory, attention, exchange, training, generation and tokenizers.",
    discussion: """
      With --python, or PYTHON in the environment, PyTorch, transformers and tokenizers do the \
      same work in turn with Apus (A B A B).
      """,
    subcommands: [BenchmarkRunCommand.self, MeasureCommand.self],
    defaultSubcommand: BenchmarkRunCommand.self)

  static func main() {
    MatrixLibrary.reexecuteIfKernelsAreOutdated()
    do {
      if let fault = MatrixLibrary.environmentFault { throw Refusal(fault) }
      var command = try parseAsRoot()
      try command.run()
    } catch let refusal as Refusal {
      Refusal.report(refusal.description)
      Foundation.exit(refusal.code)
    } catch {
      exit(withError: error)
    }
  }
}
