import Foundation
import Glibc

extension Program {
  /// Numbered preference pairs, a JSON object per line.
  static func pairs(_ count: Int) -> String {
    (0..<count).map {
      #"{"prompt":"Question \#($0)?","chosen":"Answer \#($0) of one","rejected":"Answer \#($0) of two"}"#
    }
    .joined(separator: "\n")
  }

  /// Runs `body` with a program in a folder with `pairs.jsonl`.
  static func withPairs(_ count: Int, _ body: (Program) throws -> Void) throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(pairs(count), to: "pairs.jsonl")
    try body(program)
  }

  /// Starts `apus annotate` on judgements.sqlite with `lines` as its input.
  func startAnnotating(
    _ arguments: [String], _ lines: [String]
  ) throws -> (Process, Pipe, Pipe) {
    let input = Pipe()
    let started = try start(
      Program.executable, ["annotate", "judgements.sqlite"] + arguments, input: input)
    // Another thread writes: a pipe holds 64 KiB, and a killed program reads no more.
    DispatchQueue.global().async {
      signal(SIGPIPE, SIG_IGN)
      let file = input.fileHandleForWriting
      _ = try? file.write(contentsOf: Data(lines.map { $0 + "\n" }.joined().utf8))
      try? file.close()
    }
    return started
  }

  /// Runs `apus annotate` on judgements.sqlite with `lines` as its input.
  func annotate(_ arguments: [String], _ lines: [String] = []) throws -> Result {
    let (process, output, errors) = try startAnnotating(arguments, lines)
    return Program.finish(process, output, errors)
  }

  /// The ids of the pairs that `annotator` has not judged, in the order of a session.
  func pairsToJudge(by annotator: String) throws -> [String] {
    let result = try run(["annotate", "pairs", "judgements.sqlite", "--annotator", annotator])
    return result.output.split(separator: "\n").compactMap {
      let object = try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
      return object?["pair"] as? String
    }
  }
}
