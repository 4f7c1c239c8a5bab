import Foundation
import Synchronization

/// Programs of the system that are run to their end.
package enum Tool {
  /// The end of a program.
  package struct Outcome: Equatable, Sendable {
    /// The exit code; as a shell's if a signal ended the program, and 127 if it does not exist.
    package let code: Int32
    package let output: String
    package let errors: String

    package init(code: Int32, output: String = "", errors: String = "") {
      self.code = code
      self.output = output
      self.errors = errors
    }

    /// The first line of the errors that says something, for a sentence; `mpirun` frames its
    /// messages with dashes and begins notes of other ranks with brackets.
    package var firstError: String {
      errors.split(whereSeparator: \.isNewline).first {
        $0.contains { $0.isLetter } && !$0.hasPrefix("[") && !$0.hasPrefix("-")
      }.map(String.init) ?? "exit code \(code)"
    }

    /// The last line of the errors with words, for a sentence.
    package var lastError: String {
      errors.split(whereSeparator: \.isNewline).last { $0.contains { $0.isLetter } }
        .map(String.init) ?? "exit code \(code)"
    }
  }

  /// Runs `words`, the program by its name in PATH or its path, with `variables` changed in its
  /// environment (nil removes one); nil when it has not ended after `seconds`, and is killed.
  package static func run(
    _ words: [String], variables: [String: String?] = [:], seconds: Double
  ) -> Outcome? {
    let process: RunningTool
    do {
      process = try RunningTool(words, variables: variables)
    } catch {
      return Outcome(code: 126, errors: "\(words[0]) cannot be started: \(error)")
    }
    process.closeInput()
    return process.end(within: seconds)
  }

  /// Returns the results of `body` for all `items`, each computed on a thread of its own.
  package static func inParallel<Item: Sendable, Result: Sendable>(
    _ items: [Item], _ body: @escaping @Sendable (Item) -> Result
  ) -> [Result] {
    let results = Mutex([Int: Result]())
    let group = DispatchGroup()
    for (index, item) in items.enumerated() {
      group.enter()
      let thread = Thread {
        let result = body(item)
        results.withLock { $0[index] = result }
        group.leave()
      }
      thread.start()
    }
    group.wait()
    return results.withLock { found in items.indices.compactMap { found[$0] } }
  }
}
