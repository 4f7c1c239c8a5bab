import Foundation
import Testing

@testable import Benchmarks

struct ChildProcessTests {
  @Test func standardOutputIsReturnedAndStandardErrorGoesToTheFile() throws {
    let log = NSTemporaryDirectory() + "apus-bench-\(UUID().uuidString).log"
    defer { try? FileManager.default.removeItem(atPath: log) }
    let text = try ChildProcess.output(
      of: ["sh", "-c", "echo figure; echo complaint >&2; cat"], errors: log)
    #expect(text == "figure\n", "and standard input is empty")
    #expect(try String(contentsOfFile: log, encoding: .utf8) == "complaint\n")
  }

  @Test(arguments: [
    (["sh", "-c", "exit 3"], 3), (["sh", "-c", "kill -9 $$"], 137), (["no-such-program"], 127),
  ])
  func failuresHaveTheExitCodeOfAShell(command: [String], code: Int) {
    let failure = #expect(throws: ChildProcess.Failed.self) {
      try ChildProcess.output(of: command, errors: "/dev/null")
    }
    #expect(failure.map { Int($0.code) } == code)
  }
}
