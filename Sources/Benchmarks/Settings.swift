import ArgumentParser
import DataParallel
import Foundation

/// The options that decide the work, of the program and of the processes that it starts.
struct Settings: ParsableArguments {
  @Option(help: "Number of threads (default: all cores).")
  var threads: Int?

  @Option(
    name: .customLong("corpus"),
    help: "Text file for the tokenizer benchmarks, instead of Aviary stories. Repeatable.")
  var corpora: [String] = []

  @Option(
    name: .customLong("gpt2-tokenizer"),
    help: "Folder with vocab.json and merges.txt of GPT-2 (default: APUS_GPT2_TOKENIZER).")
  var gpt2Tokenizer: String?

  @Option(help: "Folder of latest.json, previous.json and the logs of the processes.")
  var output = ".build/bench"

  func validate() throws {
    if let threads, threads < 1 {
      throw ValidationError("--threads must be at least 1, not \(threads).")
    }
  }

  /// Number of workers on this host: threads, or ranks × threads.
  var workers: Int { threads ?? Cores.survey().allowed.count }

  /// The folder of GPT-2's tokenizer; nil if none was given.
  var vocabularyFolder: String? {
    let given = gpt2Tokenizer ?? ProcessInfo.processInfo.environment["APUS_GPT2_TOKENIZER"]
    return given.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The settings as command-line arguments.
  var arguments: [String] {
    ["--threads", "\(workers)", "--output", output] + corpora.flatMap { ["--corpus", $0] }
      + (vocabularyFolder.map { ["--gpt2-tokenizer", $0] } ?? [])
  }

  /// The absolute path of the file at `path` in the package.
  static func packageFile(_ path: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent(path).path
  }
}
