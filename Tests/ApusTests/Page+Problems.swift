import ArgumentParser
import Configuration
import Foundation
import Phases

@testable import Apus

extension Page {
  /// Returns the commands, options, keys, files, identifiers, excerpts and links on the page that do
  /// not exist, with their lines.
  ///
  /// Commands are parsed, keys and YAML are read as the phases read them, and scripts are started
  /// with an `apus launch` that only prints the command line. Nothing is trained.
  ///
  /// - Parameter folder: The folder of the page in the repository, where its links begin.
  func problems(repository: String, folder: String = "") throws -> [String] {
    let checker = try PageChecker(repository: repository, folder: folder)
    defer { checker.program.remove() }
    for block in blocks { try checker.check(block) }
    for span in spans { try checker.check(span) }
    for link in links where !checker.leadsSomewhere(link.text) {
      checker.note(link.line, "the link \(link.text) leads nowhere")
    }
    return checker.problems
  }
}

private final class PageChecker {
  let program: Program
  private let repository: String
  private let folder: String
  private(set) var problems: [String] = []

  /// The keys of all phases.
  private static let keys = Set(
    PhaseKind.allCases.flatMap { phase in
      ((try? ConfigurationReader.schema { try phase.type.readKeys(&$0) }) ?? []).map(\.path)
    })
  /// The words that begin with `--` in the help of all commands.
  private static let options: Set<String> = {
    var options: Set<String> = []
    var commands = ApusCommand.configuration.subcommands
    while let command = commands.popLast() {
      let help = ApusCommand.helpMessage(for: command)
      let words = help.split { !($0.isLetter || $0 == "-") }.map(String.init)
      options.formUnion(words.filter { $0.hasPrefix("--") })
      commands += command.configuration.subcommands
    }
    return options
  }()
  private static let sources = SourceText(repository: ReadmeTests.repository)

  init(repository: String, folder: String) throws {
    program = try Program()
    self.repository = repository
    self.folder = folder
    for folder in ["cluster", "hostfiles"] {
      try FileManager.default.copyItem(
        atPath: "\(repository)/\(folder)", toPath: "\(program.folder)/\(folder)")
    }
    // The launch that a script asks for is only printed.
    try program.write(
      "#!/bin/sh\nshift\nexec \(Program.executable) launch --print \"$@\"\n",
      to: ".build/release/apus")
    chmod("\(program.folder)/.build/release/apus", 0o755)
  }

  private func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(repository)/\(path)")
  }

  /// Returns true when `link` is the path of a file, an article, or an image of the catalog.
  func leadsSomewhere(_ link: String) -> Bool {
    if exists(folder.isEmpty ? link : "\(folder)/\(link)") { return true }
    let parts = folder.split(separator: "/", omittingEmptySubsequences: false)
    guard let end = parts.firstIndex(where: { $0.hasSuffix(".docc") }) else { return false }
    let catalog = "\(repository)/\(parts[...end].joined(separator: "/"))"
    let files = (try? FileManager.default.subpathsOfDirectory(atPath: catalog)) ?? []
    let names = files.map { ($0 as NSString).lastPathComponent }
    return link.hasPrefix("doc:")
      ? names.contains("\(link.dropFirst("doc:".count)).md")
      : names.contains { $0.hasPrefix("\(link).") && !$0.hasSuffix(".md") }
  }

  func note(_ line: Int, _ problem: String) {
    problems.append("line \(line): \(problem)")
  }

  func check(_ block: Page.Block) throws {
    switch block.language {
    case "yaml": return check(yaml: block.text, line: block.line)
    case "swift", "c": return check(excerpt: block)
    default: break
    }
    let shell = ShellText(block.text)
    let isShell =
      block.isShell
      || block.language.isEmpty && shell.commands.contains { $0.apus != nil || $0.script != nil }
    guard isShell else { return }
    for (name, text) in shell.documents where name == "YAML" {
      check(yaml: text, line: block.line)
    }
    for command in shell.commands { try check(command, line: block.line + command.line - 1) }
  }

  /// Checks that every line of a block is a line of the sources; a line `…` stands for any number of
  /// lines.
  private func check(excerpt block: Page.Block) {
    let lines = block.text.split(separator: "\n", omittingEmptySubsequences: false)
    for (place, line) in lines.enumerated() {
      let text = line.trimmed
      if text.isEmpty || text == "…" || Self.sources.contains(line: text) { continue }
      note(block.line + place, "no source has the line \(text)")
    }
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
      if !Self.options.contains(name) { note(span.line, "apus has no option \(name)") }
    } else if words.count == 2, first.hasSuffix(":"), isKey(first.dropLast()) {
      check(setting: "\(first.dropLast())=\(words[1])", line: span.line)
    } else if ["cluster/", "hostfiles/", "Sources/", "Tests/"].contains(where: first.hasPrefix) {
      if !exists(first) { note(span.line, "there is no \(first)") }
    } else if words.count == 1 {
      check(name: first, line: span.line)
    }
  }

  /// Checks the name of a key, of a source file, or of a declaration.
  private func check(name: String, line: Int) {
    if name.contains("."), isKey(name[...]), !isFile(name) {
      let isKnown = Self.keys.contains { $0 == name || $0.hasPrefix("\(name).") }
      if !isKnown { note(line, "there is no key \(name)") }
    } else if ["swift", "c", "h", "py"].contains((name as NSString).pathExtension) {
      // NAME stands for a file of the reader.
      if !name.contains("NAME") && !Self.sources.names.contains(name) && !exists(name) {
        note(line, "there is no file \(name)")
      }
    } else if !isFile(name), name.allSatisfy({ $0.isLetter || $0.isNumber || ".():_".contains($0) })
    {
      for word in name.split(whereSeparator: { ".():".contains($0) })
      where word.contains(where: \.isLowercase) && word.contains(where: \.isUppercase) {
        if !Self.sources.contains(word: String(word)) {
          note(line, "no source has the name \(word)")
        }
      }
    }
  }

  private func isKey(_ text: Substring) -> Bool {
    text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
      $0.first?.isLowercase == true && $0.allSatisfy(\.isLetter)
    }
  }

  private func isFile(_ text: String) -> Bool {
    [
      "c", "gz", "h", "html", "json", "jsonl", "md", "py", "safetensors", "sh", "swift", "txt",
      "yaml", "tokens",
    ].contains((text as NSString).pathExtension)
  }

  private func check(_ command: ShellText.Command, line: Int) throws {
    if let words = command.apus { check(apus: words, line: line) }
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
  private func check(apus words: [String], line: Int) {
    if words == ["…"] || Self.isName(ofCommand: words) { return }
    do {
      let command = try ApusCommand.parseAsRoot(words)
      if let launch = command as? LaunchCommand {
        return check(apus: launch.commandWords, line: line)
      }
    } catch {
      if ApusCommand.exitCode(for: error).rawValue == 64 {
        note(line, "apus \(words.joined(separator: " ")): \(ApusCommand.message(for: error))")
      }
    }
    for (option, setting) in zip(words, words.dropFirst()) where option == "--set" {
      check(setting: setting, line: line)
    }
  }

  /// Returns true when `words` are the name of a command, without its arguments.
  private static func isName(ofCommand words: [String]) -> Bool {
    var command: any ParsableCommand.Type = ApusCommand.self
    for word in words {
      let next = command.configuration.subcommands.first { $0._commandName == word }
      guard let next else { return false }
      command = next
    }
    return true
  }

  private func check(setting: String, line: Int) {
    // The placeholder of the syntax is not a key.
    if setting == "key=value" { return }
    // A phase refuses any setting while its required keys are missing.
    guard let refusal = refusal(overrides: [setting, "data.train=x"]),
      self.refusal(overrides: [setting, "model.from=x", "data.train=x"]) != nil
    else { return }
    note(line, "--set \(setting): \(refusal)")
  }

  private func check(yaml text: String, line: Int) {
    if let refusal = refusal(yaml: text) { note(line, refusal) }
  }

  /// Returns the error of the first phase; nil when a phase accepts the keys.
  ///
  /// All phases are tried, because a page does not say to which one the keys belong.
  private func refusal(yaml: String = "", overrides: [String] = []) -> String? {
    var refusal: String?
    for phase in PhaseKind.allCases {
      do {
        var reader = try ConfigurationReader(yaml: yaml, file: "block.yaml", overrides: overrides)
        try phase.type.readKeys(&reader)
        try reader.finish()
        return nil
      } catch {
        refusal = refusal ?? "\(error)"
      }
    }
    return refusal
  }

  private func check(script: String, _ command: ShellText.Command, line: Int) throws {
    guard exists(script) else { return note(line, "there is no \(script)") }
    let text = try String(contentsOfFile: "\(repository)/\(script)", encoding: .utf8)
    let assignments = command.words.prefix { $0.contains("=") }
    for assignment in assignments {
      let name = assignment.prefix { $0 != "=" }
      if !text.contains("${\(name):") { note(line, "\(script) does not read \(name)") }
    }
    let (process, output, errors) = try program.start("/usr/bin/env", command.words)
    let result = Program.finish(process, output, errors)
    if result.code != 0 { note(line, "\(script) ends with \(result.code): \(result.errors)") }
  }
}
