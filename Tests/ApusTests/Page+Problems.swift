import Foundation
import Phases
import Training

@testable import Apus

extension Page {
  /// Returns the commands, options, keys, files and links on the page that do not exist, with their
  /// lines.
  ///
  /// Commands are parsed, `apus config` checks keys and YAML, and scripts are started with an
  /// `mpirun` that only prints its arguments. Nothing is trained.
  func problems(repository: String) throws -> [String] {
    let checker = try PageChecker(repository: repository)
    defer { checker.program.remove() }
    for block in blocks { try checker.check(block) }
    for span in spans { try checker.check(span) }
    for link in links where !checker.exists(link.text) {
      checker.note(link.line, "the link \(link.text) leads nowhere")
    }
    return checker.problems
  }
}

private final class PageChecker {
  let program: Program
  private let repository: String
  private let keys: Set<String>
  /// The words that begin with `--` in the help of all commands.
  private let options: Set<String>
  private(set) var problems: [String] = []

  init(repository: String) throws {
    program = try Program()
    self.repository = repository
    var keys: Set<String> = []
    for phase in PhaseKind.allCases {
      let schema = try program.run(["config", "--schema", "--json", "--phase", phase.rawValue])
      let list = try JSONSerialization.jsonObject(with: Data(schema.output.utf8))
      keys.formUnion((list as? [[String: Any]] ?? []).compactMap { $0["key"] as? String })
    }
    self.keys = keys
    var options: Set<String> = []
    var commands = ApusCommand.configuration.subcommands
    while let command = commands.popLast() {
      let help = ApusCommand.helpMessage(for: command)
      let words = help.split { !($0.isLetter || $0 == "-") }.map(String.init)
      options.formUnion(words.filter { $0.hasPrefix("--") })
      commands += command.configuration.subcommands
    }
    self.options = options
    for folder in ["cluster", "hostfiles"] {
      try FileManager.default.copyItem(
        atPath: "\(repository)/\(folder)", toPath: "\(program.folder)/\(folder)")
    }
    // This mpirun prints its arguments, one per line.
    try program.write("#!/bin/sh\nprintf '%s\\n' MPIRUN \"$@\"\n", to: "bin/mpirun")
    chmod("\(program.folder)/bin/mpirun", 0o755)
  }

  func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(repository)/\(path)")
  }

  func note(_ line: Int, _ problem: String) {
    problems.append("line \(line): \(problem)")
  }

  func check(_ block: Page.Block) throws {
    if block.language == "yaml" { return try check(yaml: block.text, line: block.line) }
    let shell = ShellText(block.text)
    let isShell =
      block.isShell
      || block.language.isEmpty && shell.commands.contains { $0.apus != nil || $0.script != nil }
    guard isShell else { return }
    for (name, text) in shell.documents where name == "YAML" {
      try check(yaml: text, line: block.line)
    }
    for command in shell.commands { try check(command, line: block.line + command.line - 1) }
  }

  func check(_ span: Page.Span) throws {
    let words = span.text.split(separator: " ").map(String.init)
    guard let first = words.first else { return }
    // A single word is the name of a script, not a command to run.
    if words.count > 1 {
      for command in ShellText(span.text).commands { try check(command, line: span.line) }
    }
    if first.hasPrefix("--") {
      let name = String(first.prefix { $0 != "=" })
      if !options.contains(name) { note(span.line, "apus has no option \(name)") }
    } else if words.count == 2, first.hasSuffix(":"), isKey(first.dropLast()) {
      try check(setting: "\(first.dropLast())=\(words[1])", line: span.line)
    } else if words.count == 1, first.contains("."), isKey(first[...]), !isFile(first) {
      let isKnown = keys.contains { $0 == first || $0.hasPrefix("\(first).") }
      if !isKnown { note(span.line, "there is no key \(first)") }
    } else if first.hasPrefix("cluster/") || first.hasPrefix("hostfiles/") {
      if !exists(first) { note(span.line, "there is no \(first)") }
    }
  }

  private func isKey(_ text: Substring) -> Bool {
    text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
      $0.first?.isLowercase == true && $0.allSatisfy(\.isLetter)
    }
  }

  private func isFile(_ text: String) -> Bool {
    ["gz", "html", "json", "jsonl", "md", "safetensors", "sh", "swift", "txt", "yaml", "tokens"]
      .contains(text.split(separator: ".").last.map(String.init) ?? "")
  }

  private func check(_ command: ShellText.Command, line: Int) throws {
    if let words = command.apus { try check(apus: words, line: line) }
    if command.words.first == "make" {
      for target in command.words.dropFirst() where !target.hasPrefix("-") {
        checkTarget(target, line: line)
      }
    }
    if let script = command.script { try check(script: script, command, line: line) }
  }

  private func checkTarget(_ target: String, line: Int) {
    let makefile = (try? String(contentsOfFile: "\(repository)/Makefile", encoding: .utf8)) ?? ""
    if !"\n\(makefile)".contains("\n\(target):") { note(line, "make knows no \(target)") }
  }

  /// Parses the words as the program does; exit code 64 is a problem.
  private func check(apus words: [String], line: Int) throws {
    if words.isEmpty || words == ["…"] { return }
    do {
      _ = try ApusCommand.parseAsRoot(words)
    } catch {
      if ApusCommand.exitCode(for: error).rawValue == 64 {
        note(line, "apus \(words.joined(separator: " ")): \(ApusCommand.message(for: error))")
      }
    }
    for (option, setting) in zip(words, words.dropFirst()) where option == "--set" {
      try check(setting: setting, line: line)
    }
  }

  private func check(setting: String, line: Int) throws {
    // The placeholder of the syntax is not a key.
    if setting == "key=value" { return }
    // A phase refuses any setting while its required keys are missing, so all phases are tried.
    let results = try PhaseKind.allCases.map {
      try program.run(
        [
          "config", "--phase", $0.rawValue, "--set", setting, "--set", "model.from=x", "--set",
          "data.train=x",
        ])
    }
    let pretraining = try program.run(["config", "--set", setting, "--set", "data.train=x"])
    if !(results + [pretraining]).contains(where: { $0.code == 0 }) {
      note(line, "--set \(setting): \(pretraining.errors)")
    }
  }

  private func check(yaml text: String, line: Int) throws {
    try program.write(text, to: "block.yaml")
    // One phase may refuse the text because of missing keys, so all phases are tried.
    let results = try PhaseKind.allCases.map {
      try program.run(["config", "block.yaml", "--phase", $0.rawValue])
    }
    if !results.contains(where: { $0.code == 0 }) { note(line, results[0].errors) }
  }

  private func check(script: String, _ command: ShellText.Command, line: Int) throws {
    guard exists(script) else { return note(line, "there is no \(script)") }
    let text = try String(contentsOfFile: "\(repository)/\(script)", encoding: .utf8)
    let assignments = command.words.prefix { $0.contains("=") }
    for assignment in assignments {
      let name = assignment.prefix { $0 != "=" }
      if !text.contains("\(name)=${\(name):-") { note(line, "\(script) does not read \(name)") }
    }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let (process, output, errors) = try program.start(
      "/usr/bin/env", ["PATH=\(program.folder)/bin:\(path)"] + command.words)
    let result = Program.finish(process, output, errors)
    let words = result.output.split(separator: "\n").map(String.init)
    let rest = words.drop { $0 != "MPIRUN" }
    guard result.code == 0, let place = rest.firstIndex(where: { $0.hasSuffix("/apus") }) else {
      return note(line, "\(script) ends with \(result.code): \(result.errors)")
    }
    try check(apus: Array(rest[(place + 1)...]), line: line)
  }
}
