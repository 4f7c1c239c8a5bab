import ArgumentParser
import DataParallel
import Foundation

/// What decides which work is done, for the program and the processes that it starts.
struct Settings: ParsableArguments {
  @Option(help: "Threads; all cores when absent.")
  var threads: Int?

  @Option(
    name: .customLong("corpus"),
    help: "Text for the tokenizer's benchmarks instead of the Aviary's stories. Repeatable.")
  var corpora: [String] = []

  @Option(help: "Folder of latest.json, previous.json and what the processes write.")
  var output = ".build/bench"

  func validate() throws {
    if let threads, threads < 1 {
      throw ValidationError("--threads must be at least 1, not \(threads).")
    }
  }

  /// Threads, or ranks × threads where there are ranks.
  var workers: Int { threads ?? Cores.survey().allowed.count }

  /// The same as arguments.
  var arguments: [String] {
    ["--threads", "\(workers)", "--output", output] + corpora.flatMap { ["--corpus", $0] }
  }

  /// The file at `path` below the package's folder.
  static func packageFile(_ path: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent(path).path
  }
}
