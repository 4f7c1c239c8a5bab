import ArgumentParser
import Foundation
import Tokenizers

/// `apus tokenizer`: trains, extends and applies tokenizers.
struct TokenizerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Train, extend and apply tokenizers.",
    subcommands: [
      TokenizerTrainCommand.self, TokenizerExtendCommand.self, Encode.self, Decode.self,
    ])

  struct Encode: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the token ids of a text.",
      discussion: """
        Special tokens that are written in the text, such as <|endoftext|>, are found as such; in \
        training, generation and chats a text stays text. With --json-lines the ids include the tokens \
        that the tokenizer puts around a text, such as <s> or [CLS], as transformers counts them.
        """)

    @Option(help: "Tokenizer: bytes, or the path of a tokenizer file or folder.")
    var tokenizer = "bytes"

    @Flag(
      help: "Read one JSON string per line; print ids, offsets and decoded text as JSON lines.")
    var jsonLines = false

    @Argument(help: "Text to encode (default: standard input).")
    var text: String?

    var inputs: [String] { TokenizerCommand.path(tokenizer) }

    func run() throws {
      let tokenizer = try TokenizerCommand.load(tokenizer)
      if jsonLines { return try TokenLines.encode(with: tokenizer) }
      let bytes =
        text.map { Array($0.utf8) } ?? Array(FileHandle.standardInput.readDataToEndOfFile())
      let ids = bytes.withUnsafeBufferPointer {
        tokenizer.encoding(of: $0, specialTokensIn: RangeSet(0..<$0.count)).ids
      }
      try StandardOutput.print(ids.map(String.init).joined(separator: " "))
    }
  }

  struct Decode: Subcommand {
    static let configuration = CommandConfiguration(abstract: "Print the text of token ids.")

    @Option(help: "Tokenizer: bytes, or the path of a tokenizer file or folder.")
    var tokenizer = "bytes"

    @Argument(help: "Token ids, separated by spaces or commas (default: standard input).")
    var ids: [String] = []

    var inputs: [String] { TokenizerCommand.path(tokenizer) }

    func run() throws {
      let tokenizer = try TokenizerCommand.load(tokenizer)
      let texts =
        ids.isEmpty
        ? [String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)] : ids
      let numbers = try texts.map { text in
        guard let list = TokenIDList(argument: text) else {
          throw Failure.Refusal(
            "\"\(text.prefix(40))\" are not token ids: give \(TokenIDList.form).")
        }
        return list.ids
      }
      try StandardOutput.write(try tokenizer.decode(Array(numbers.joined())))
    }
  }

  /// The chat template stored with the tokenizer `name`; nil if there is none or it cannot be used.
  static func template(of name: String, _ tokenizer: any Tokenizer) throws -> ChatTemplate? {
    do {
      return name == "bytes" ? nil : try TokenizerFile.template(from: name, for: tokenizer)
    } catch TokenizerError.unusableTemplate {
      return nil
    }
  }

  /// The path that the tokenizer `name` is; none for `bytes`.
  static func path(_ name: String) -> [String] { name == "bytes" ? [] : [name] }

  /// The tokenizer `name`: `bytes`, or the path of a file or folder.
  static func load(_ name: String) throws -> any Tokenizer {
    name == "bytes" ? ByteTokenizer() : try TokenizerFile.load(from: name)
  }
}
