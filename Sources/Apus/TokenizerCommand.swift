import ArgumentParser
import Foundation
import Tokenizers

/// `apus tokenizer`: makes tokenizers and shows what they do.
struct TokenizerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Train a tokenizer; encode and decode text.",
    subcommands: [
      TokenizerTrainCommand.self, TokenizerExtendCommand.self, Encode.self, Decode.self,
    ])

  struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the ids of a text.")

    @Option(help: "bytes, or a folder or tokenizer.json.")
    var tokenizer = "bytes"

    @Flag(help: "Read JSON texts, one a line; print ids, offsets and decoded text as JSON lines.")
    var jsonLines = false

    @Argument(help: "The text; standard input when absent.")
    var text: String?

    func run() throws {
      let tokenizer = try TokenizerCommand.load(tokenizer)
      if jsonLines { return try TokenLines.encode(with: tokenizer) }
      let bytes =
        text.map { Array($0.utf8) } ?? Array(FileHandle.standardInput.readDataToEndOfFile())
      try StandardOutput.print(tokenizer.encode(bytes).map(String.init).joined(separator: " "))
    }
  }

  struct Decode: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the text of ids.")

    @Option(help: "bytes, or a folder or tokenizer.json.")
    var tokenizer = "bytes"

    @Argument(help: "Ids; from standard input when absent.")
    var ids: [String] = []

    func run() throws {
      let tokenizer = try TokenizerCommand.load(tokenizer)
      let words =
        ids.isEmpty
        ? String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
          .split(whereSeparator: \.isWhitespace).map(String.init) : ids
      let numbers = try words.map { word in
        guard let id = TokenID(word) else {
          throw Failure.Refusal("\"\(word)\" is not a token id: ids are whole numbers.")
        }
        return id
      }
      try StandardOutput.write(try tokenizer.decode(numbers))
    }
  }

  /// The chat template kept with the tokenizer that the user means, if it can be used.
  static func template(of name: String, _ tokenizer: any Tokenizer) throws -> ChatTemplate? {
    do {
      return name == "bytes" ? nil : try TokenizerFile.template(from: name, for: tokenizer)
    } catch TokenizerError.unusableTemplate {
      return nil
    }
  }

  /// The tokenizer that the user means.
  static func load(_ name: String) throws -> any Tokenizer {
    name == "bytes" ? ByteTokenizer() : try TokenizerFile.load(from: name)
  }
}
