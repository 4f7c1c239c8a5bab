import ArgumentParser
import Foundation
import MPI
import Tensors

/// `apus-bench`: what this machine can do, and how much of it a training step uses.
///
/// One file per benchmark; a table on standard output and, where asked, JSON.
@main
struct BenchmarksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apus-bench", abstract: "Measure products, memory and training steps.")

  @Option(help: "Workers; all cores when absent.")
  var threads: Int?

  @Option(help: "Repetitions of each measurement; the median is shown.")
  var runs = 5

  @Option(help: "Write the figures to this file as JSON.")
  var json: String?

  @Flag(help: "Leave out the 124M step, which needs 4 GB and a minute.")
  var quick = false

  func validate() throws {
    if runs < 1 { throw ValidationError("--runs must be at least 1, not \(runs).") }
    if let threads, threads < 1 {
      throw ValidationError("--threads must be at least 1, not \(threads).")
    }
  }

  func run() throws {
    let environment = try MPIEnvironment()
    MatrixLibrary.useCallingThreadOnly()
    let threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
    print("\(MatrixLibrary.description), kernels \(MatrixLibrary.kernelLevel), \(threads) workers")
    var figures: [Measurement] = []
    let show = { (new: [Measurement]) in
      for figure in new { print(figure.line) }
      figures += new
    }
    try show(ProductBenchmark.run(threads: threads, runs: runs))
    try show(MemoryBenchmark.run(threads: threads, runs: runs))
    try show(StepBenchmark.tiny.run(environment.world, threads: threads, runs: runs))
    if !quick {
      try show(StepBenchmark.gpt2.run(environment.world, threads: threads, runs: runs))
    }
    if let json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try encoder.encode(figures).write(to: URL(fileURLWithPath: json))
    }
  }
}
