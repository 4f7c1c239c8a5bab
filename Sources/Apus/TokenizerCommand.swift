import ArgumentParser
import Aviary
import Datasets
import Foundation
import Tokenizers

/// `apus tokenizer`: makes tokenizers and shows what they do.
struct TokenizerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Train a tokenizer; encode and decode text.",
    subcommands: [Train.self, Encode.self, Decode.self])

  struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Train a byte-level BPE tokenizer with GPT-2's pre-tokenization.")

    @Argument(help: "Files (.txt, .jsonl, .gz), folders and globs; aviary or aviary-small.")
    var sources: [String]

    @Option(help: "Folder to write tokenizer.json into.")
    var output: String

    @Option(help: "Entries of the vocabulary: 256 bytes, one special token and merges.")
    var vocabulary = 8192

    @Option(help: "Pairs seen less often are not merged.")
    var minimumFrequency = 2

    @Option(help: "Stories to write when the source is an aviary, each with an instruction for it.")
    var stories = 20_000

    @Option(help: "Field of JSON lines that holds the text.")
    var textField = "text"

    @Option(help: "chatml, llama3 or plain: kept with the tokenizer, its markers special tokens.")
    var template: ChatTemplate?

    func validate() throws {
      if stories < 1 { throw ValidationError("--stories must be at least 1, not \(stories).") }
    }

    func run() throws {
      let specialTokens = [ByteTokenizer.endOfTextToken] + (template?.markers ?? [])
      let least = 256 + specialTokens.count
      guard vocabulary >= least else {
        throw Failure.Refusal(
          "--vocabulary \(vocabulary) has no room for the 256 bytes and the special tokens "
            + specialTokens.joined(separator: ", ") + ": choose at least \(least).")
      }
      var trainer = try BytePairTrainer(
        vocabularySize: vocabulary, minimumFrequency: minimumFrequency, specialTokens: specialTokens
      )
      if let world = Aviary(sources: sources, seed: 1) {
        for index in 0..<stories {
          trainer.add(world.text(at: index))
          trainer.add(world.instruction(at: index).text)
        }
      } else {
        var documents = DocumentStream(try SourceList(sources).files, textField: textField)
        while let document = try documents.next() { trainer.add(document.bytes) }
      }
      let tokenizer = try trainer.train()
      try TokenizerFile.save(tokenizer, toFolder: output, template: template)
      try StandardOutput.print("\(output)/tokenizer.json: \(tokenizer.vocabularySize) entries")
    }
  }

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

  /// The chat template kept with the tokenizer that the user means, if it is one of ours.
  static func template(of name: String, _ tokenizer: any Tokenizer) throws -> ChatTemplate? {
    do {
      return name == "bytes" ? nil : try TokenizerFile.template(from: name, for: tokenizer)
    } catch TokenizerError.foreignTemplate {
      return nil
    }
  }

  /// The tokenizer that the user means.
  static func load(_ name: String) throws -> any Tokenizer {
    name == "bytes" ? ByteTokenizer() : try TokenizerFile.load(from: name)
  }
}
