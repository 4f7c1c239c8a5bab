import ArgumentParser
import Aviary
import Files
import Foundation

/// `apus data aviary`: synthetic texts from the Aviary.
struct AviaryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "aviary", abstract: "Write texts from the Aviary, a synthetic world of stories.",
    discussion: """
      The Aviary is a grammar of short stories. It writes text, instructions and \
      judgements in any number, so that a whole pipeline can be tried without data of one's own, and \
      it checks whether a story keeps the facts of its instruction.
      """,
    subcommands: [Write.self, Judge.self], defaultSubcommand: Write.self)

  /// Writes `lines` as JSON lines to the file at `path`, whole or not at all.
  static func write(
    _ lines: some Sequence<some Encodable>, to path: String
  ) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var file = try PendingFile(path, acceptsDevice: true)
    for line in lines { try file.write([UInt8](try encoder.encode(line)) + [UInt8(ascii: "\n")]) }
    try file.finish()
    try file.publish()
  }

  struct Write: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Write stories, instructions with stories that follow them, or instructions alone.",
      discussion: """
        apus data aviary --kind instructions --small --count 4000 --output instructions.jsonl

        A line is {"text"} (stories), {"messages"} (instructions) or {"prompt"} (prompts). Equal \
        arguments write equal bytes.
        """)

    enum Kind: String, CaseIterable, ExpressibleByArgument {
      case stories, instructions, prompts

      var singular: String { self == .stories ? "story" : String(rawValue.dropLast()) }
    }

    private struct Line: Encodable {
      struct Message: Encodable {
        let role: String
        let content: String
      }

      var text: String?
      var messages: [Message]?
      var prompt: String?
    }

    @Option(help: "Kind of the lines: stories, instructions or prompts.")
    var kind: Kind

    @Option(help: "Number of lines.")
    var count: Int

    @Option(help: "Seed of the stories.")
    var seed: UInt64 = 1

    @Flag(help: "Write held-out lines, at indices that no other file of the seed has.")
    var heldOut = false

    @Flag(help: "Use the small world of about 400 words instead of the full one.")
    var small = false

    @Option(help: "File to write (JSON lines).")
    var output: String

    var inputs: [String] { [] }
    var outputs: [String] { [output] }

    func validate() throws {
      try requireOneOrMore(count, of: "--count")
    }

    func run() throws {
      let world = Aviary(seed: seed, size: small ? .small : .full)
      try AviaryCommand.write(
        (0..<count).lazy.map { line(at: heldOut ? -1 - $0 : $0, of: world) }, to: output)
      try StandardOutput.print("\(output): \(count, kind.singular, kind.rawValue), seed \(seed)")
    }

    private func line(at index: Int, of world: Aviary) -> Line {
      switch kind {
      case .stories: return Line(text: world.text(at: index))
      case .prompts: return Line(prompt: world.instruction(at: index).text)
      case .instructions:
        return Line(messages: [
          .init(role: "user", content: world.instruction(at: index).text),
          .init(role: "assistant", content: world.text(at: index)),
        ])
      }
    }
  }
}
