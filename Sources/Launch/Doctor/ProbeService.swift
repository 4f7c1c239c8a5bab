import Foundation
import Glibc

/// The conversation between the host that asks and the probe on each host: lines on the probe's
/// standard input and output.
///
///     report                    the facts of the host with measured speeds, as JSON: a second
///     facts                     the facts of the host without speeds, as JSON
///     clock                     seconds since 1970
///     write TOKEN FOLDER        writes 16 MiB to a file there; ``FolderFacts`` as JSON
///     touch TOKEN FOLDER        the same with one byte
///     look TOKEN …              the tokens that have not appeared in the folder, as a JSON array
///
/// An answer is one line that begins with ``mark``: a login shell may print lines of its own. The
/// probe ends with its input, and removes its file.
package enum ProbeService {
  static let mark = "apus-doctor "

  /// Answers the lines of standard input until its end.
  ///
  /// - Parameters:
  ///   - report: Finds the facts of this host, and measures its speeds where that is asked for.
  ///   - print: Writes a line to standard output.
  package static func run(
    report: (_ measuresSpeeds: Bool) throws -> HostReport, print: (String) throws -> Void
  ) throws {
    var folder: SharedFolderProbe?
    defer { folder?.remove() }
    while let line = readLine() {
      let words = line.split(separator: " ").map(String.init)
      switch words.first {
      case "report": try print(mark + json(report(true)))
      case "facts": try print(mark + json(report(false)))
      case "clock": try print(mark + "\(Date.now.timeIntervalSince1970)")
      case "write", "touch":
        guard words.count > 2 else { return }
        let probe = SharedFolderProbe(folder: words.dropFirst(2).joined(separator: " "))
        folder = probe
        let bytes = words[0] == "touch" ? 1 : SharedFolderProbe.bytes
        try print(mark + json(probe.write(words[1], bytes: bytes)))
      case "look": try print(mark + json(folder?.missing(Array(words.dropFirst())) ?? []))
      default: return
      }
    }
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// A probe on one host, asked from here.
///
/// `@unchecked Sendable`: one thread at a time asks.
final class ProbeConversation: @unchecked Sendable {
  private let tool: RunningTool

  /// Starts the probe with `words`.
  init(_ words: [String]) throws {
    tool = try RunningTool(words)
  }

  /// Sends `request` and returns the answer; nil without one after `seconds`.
  func ask(_ request: String, seconds: Double) -> String? {
    tool.send(request)
    let deadline = ContinuousClock.now + .seconds(seconds)
    while let line = tool.line(until: deadline) {
      if line.hasPrefix(ProbeService.mark) {
        return String(line.dropFirst(ProbeService.mark.count))
      }
    }
    return nil
  }

  /// Sends `request` and returns the JSON of the answer.
  func ask<Answer: Decodable>(_ type: Answer.Type, _ request: String, seconds: Double) -> Answer? {
    ask(request, seconds: seconds).flatMap {
      try? JSONDecoder().decode(type, from: Data($0.utf8))
    }
  }

  /// Returns how far the host's clock is ahead of this machine's, in seconds, and the greatest error:
  /// half the shortest round trip.
  func clock() -> (offset: Double, error: Double)? {
    var best: (offset: Double, error: Double)?
    for _ in 0..<5 {
      let start = Date.now.timeIntervalSince1970
      guard let there = ask("clock", seconds: 5).flatMap(Double.init) else { return best }
      let end = Date.now.timeIntervalSince1970
      let error = (end - start) / 2
      if error < best?.error ?? .infinity { best = (there - (start + end) / 2, error) }
    }
    return best
  }

  /// Ends the probe, and returns its end; nil when it had to be killed.
  func end() -> Tool.Outcome? {
    tool.closeInput()
    return tool.end(within: 2)
  }
}
