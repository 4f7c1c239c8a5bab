import Foundation
import Testing

/// Unwritable results: exit code 5 and a sentence, or no message when the reader has closed the
/// pipe.
@Suite(.serialized) struct OutputTests {
  /// Runs a shell command line in which `apus` is the program.
  private func shell(_ line: String, in program: Program) throws -> Program.Result {
    let (process, output, errors) = try program.start(
      "/bin/bash", ["-c", "apus() { \"\(Program.executable)\" \"$@\"; }; \(line)"])
    return Program.finish(process, output, errors)
  }

  private static let commands = [
    "generate run Line --tokens 3 --temperature 1 --precision fp32",
    "generate run Line --tokens 3 --samples 2 --temperature 1 --precision fp32",
    "tokenizer encode birds", "tokenizer decode 104", "config run.yaml", "config --schema",
    "data build corpus.txt --output shards", "data inspect run/data",
    "tokenizer train corpus.txt --vocabulary 260 --output tokenizer",
  ]

  @Test func anUnwritableOutputFailsWithCode5() throws {
    try Program.withCorpus { program in
      #expect(try program.run(["pretrain", "run.yaml", "--threads", "1"]).code == 0)
      for command in Self.commands {
        for (place, reason) in [("> /dev/full", "No space left"), (">&-", "Bad file descriptor")] {
          let result = try shell("apus \(command) \(place)", in: program)
          #expect(result.code == 5, "\(command) \(place): \(result.errors)")
          for word in ["standard output", reason] {
            #expect(result.errors.contains(word), "\(command) \(place): \(result.errors)")
          }
        }
      }
    }
  }

  /// Tests the default SIGPIPE, and SIGPIPE ignored, as many parent processes leave it.
  @Test(arguments: ["", "trap '' PIPE; "])
  func aClosedOutputPipeEndsTheProgramWithoutAMessage(before: String) throws {
    try Program.withCorpus { program in
      #expect(try program.run(["pretrain", "run.yaml", "--threads", "1"]).code == 0)
      for command in Self.commands {
        // The reader has exited before the first byte.
        let result = try shell(
          "\(before)exec 3> >(:); wait $!; apus \(command) >&3", in: program)
        #expect(result.code == 141 && result.errors.isEmpty, "\(command): \(result)")
      }
    }
  }

  /// Files that the run opens must not get the descriptors of closed standard streams: the log
  /// would be written into them.
  @Test func closedStandardStreamsAreReplacedByDevNull() throws {
    try Program.withCorpus { program in
      let (process, output, errors) = try program.start(
        "/bin/bash",
        ["-c", "exec \"$0\" \"$@\" <&- >&- 2>&-", Program.executable, "pretrain", "run.yaml"]
          + ["--threads", "1"] + Program.long)
      Program.wait(for: process) { program.read("run/metrics.jsonl") != nil }
      for stream in 0...2 {
        let link = "/proc/\(process.processIdentifier)/fd/\(stream)"
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "/dev/null")
      }
      #expect(Program.finish(process, output, errors).code == 0)
      #expect(program.metrics("run") == Array(1...160))
    }
  }
}
