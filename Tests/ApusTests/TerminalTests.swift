import Foundation
import Testing

/// Text that others wrote cannot change a terminal, wherever a command shows it.
@Suite struct TerminalTests {
  /// Clear the screen, set the title, ring, erase, CSI of C1, and turn the direction of writing.
  private static let hostile = "\u{1B}[2J\u{1B}]0;t\u{7}\u{8}\u{9B}31m\u{202E}end"
  private static let controls = ["\u{1B}", "\u{7}", "\u{8}", "\u{9B}", "\u{202E}"]

  private func expectHarmless(_ text: String, _ place: String) {
    #expect(text.contains("␛[2J␛]0;t␇␈␦31m␦end"), "\(place): \(text.debugDescription)")
    for control in Self.controls {
      #expect(!text.unicodeScalars.contains(control.unicodeScalars.first!), "\(place)")
    }
  }

  /// The output of a shell command line on a pseudo-terminal.
  private func onTerminal(_ line: String, in program: Program) throws -> String {
    try program.write("#!/bin/bash\n" + line, to: "line.sh")
    let (process, output, errors) = try program.start(
      "/usr/bin/script", ["-qec", "bash line.sh", "/dev/null"])
    let result = Program.finish(process, output, errors)
    #expect(result.code == 0, "\(result)")
    return result.output
  }

  @Test func dataAndErrorsAreHarmlessInAPipeToo() throws {
    try Program.withCorpus { program in
      let text = try JSONSerialization.data(withJSONObject: [
        ["question": Self.hostile, "answer": "a \(Self.hostile)"]
      ])
      try program.write(text, to: "records.json")
      let inspect = ["data", "inspect", "records.json", "--template", "chatml"]
      expectHarmless(try program.run(inspect).output, "records")
      try program.write("A document \(Self.hostile)\n\nMore.", to: "hostile.txt")
      let build = ["data", "build", "hostile.txt", "--output", "shards", "--validation-files"]
      #expect(try program.run(build + ["corpus.txt"]).code == 0)
      expectHarmless(try program.run(["data", "inspect", "shards"]).output, "shards")
      for arguments in [
        ["evaluate", Self.hostile, "--texts", "corpus.txt"], ["data", Self.hostile],
        ["config", "run.yaml", "--set", "\(Self.hostile)=1"],
      ] {
        let result = try program.run(arguments)
        #expect([2, 64].contains(result.code), "\(result)")
        expectHarmless(result.errors, "\(arguments)")
      }
    }
  }

  @Test func textForProgramsIsHarmlessOnATerminalOnly() throws {
    let ids = Array(Self.hostile.utf8).map(String.init).joined(separator: ",")
    try Program.withModel { program in
      let generate = "generate base \"$(cat prompt)\" --tokens 0"
      try program.write(Self.hostile, to: "prompt")
      for command in [generate, "\(generate) --samples 2", "tokenizer decode \(ids)"] {
        let line = "'\(Program.executable)' \(command)"
        expectHarmless(try onTerminal(line, in: program), command)
        let (process, output, errors) = try program.start("/bin/bash", ["-c", line])
        let piped = Program.finish(process, output, errors)
        #expect(piped.output.hasPrefix(Self.hostile), "\(command): \(piped)")
      }
    }
  }
}
