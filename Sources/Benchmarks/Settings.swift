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

  @Option(
    name: .customLong("gpt2-tokenizer"),
    help: "Folder with GPT-2's vocab.json and merges.txt; APUS_GPT2_TOKENIZER when absent.")
  var gpt2Tokenizer: String?

  @Option(help: "Folder of latest.json, previous.json and what the processes write.")
  var output = ".build/bench"

  func validate() throws {
    if let threads, threads < 1 {
      throw ValidationError("--threads must be at least 1, not \(threads).")
    }
  }

  /// Threads, or ranks × threads where there are ranks.
  var workers: Int { threads ?? Cores.survey().allowed.count }

  /// The folder of GPT-2's tokenizer; nil where none was given.
  var vocabularyFolder: String? {
    let given = gpt2Tokenizer ?? ProcessInfo.processInfo.environment["APUS_GPT2_TOKENIZER"]
    return given.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The same as arguments.
  var arguments: [String] {
    ["--threads", "\(workers)", "--output", output] + corpora.flatMap { ["--corpus", $0] }
      + (vocabularyFolder.map { ["--gpt2-tokenizer", $0] } ?? [])
  }

  /// The file at `path` below the package's folder.
  static func packageFile(_ path: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent(path).path
  }
}
