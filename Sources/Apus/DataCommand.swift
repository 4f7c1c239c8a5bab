import ArgumentParser
import Aviary
import Datasets
import Foundation
import Tokenizers

/// `apus data`: text to token shards, and a look at them.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Build token shards from text; look into them.",
    subcommands: [Build.self, Inspect.self, AviaryCommand.self])

  struct Build: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Tokenize documents into train.tokens and validation.tokens.")

    @Argument(help: "Files (.txt, .jsonl, .gz), folders and globs; aviary or aviary-small.")
    var sources: [String]

    @Option(help: "Folder to write into.")
    var output: String

    @Option(help: "bytes, or a folder or tokenizer.json.")
    var tokenizer = "bytes"

    @Option(help: "Share of the documents kept for validation.")
    var validation = 0.1

    @Option(help: "Files, folders and globs to validate on, instead of a share. Repeatable.")
    var validationFiles: [String] = []

    @Option(help: "Stories to write when the source is an aviary.")
    var stories = 20_000

    @Option(help: "Field of JSON lines that holds the text.")
    var textField = "text"

    func validate() throws {
      if stories < 1 { throw ValidationError("--stories must be at least 1, not \(stories).") }
    }

    func run() throws {
      let name = tokenizer
      let tokenizer = try TokenizerCommand.load(name)
      let plan = try DatasetPlan(
        sources: Aviary(sources: sources, seed: 1).map { world in
          .generated(name: "\(sources[0]), seed 1", count: stories) {
            Document(text: world.text(at: $0), source: sources[0], index: $0)
          }
        } ?? .files(sources),
        validation: validationFiles.isEmpty ? .fraction(validation) : .files(validationFiles),
        textField: textField)
      for path in plan.ignored { Failure.report("\(path) is left out: not .txt or .jsonl.") }
      let dataset = try DatasetBuilder.build(
        plan, tokenizer: tokenizer,
        fingerprint: FNV1a(TokenizerFile.fingerprint(of: tokenizer)).value, into: output,
        threads: max(1, ProcessInfo.processInfo.activeProcessorCount))
      try TokenizerFile.save(
        tokenizer, toFolder: output, template: try TokenizerCommand.template(of: name, tokenizer))
      for (name, summary) in [
        ("train", dataset.description.train), ("validation", dataset.description.validation),
      ] {
        try StandardOutput.print(
          "\(output)/\(name).tokens: \(summary.documents) documents, \(summary.tokens) tokens, "
            + "\(summary.textBytes) bytes of text")
      }
    }
  }

  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what a dataset holds, or what is learned of records.",
      discussion: """
        Of a built dataset: its counts and first documents. Of files of records (.jsonl, .json, .csv \
        with conversations, prompts and answers, preference pairs, labelled texts): how they become \
        tokens, those that are learned in colour or in \u{27E6}brackets\u{27E7}.
        """)

    @Argument(help: "The folder of a built dataset; or files, folders and globs of records.")
    var sources: [String]

    @Option(help: "Documents of a dataset to show.")
    var documents = 3

    @Option(help: "bytes, or a folder or tokenizer.json; a dataset's own when absent.")
    var tokenizer: String?

    @OptionGroup var records: RecordInspection

    func run() throws {
      if sources.count > 1 || !FileManager.default.fileExists(atPath: "\(sources[0])/dataset.json")
      {
        return try records.run(sources, tokenizer: tokenizer ?? "bytes")
      }
      let folder = sources[0]
      let dataset = try Dataset(opening: folder)
      let own = FileManager.default.fileExists(atPath: "\(folder)/tokenizer.json")
      let tokenizer = try TokenizerCommand.load(tokenizer ?? (own ? folder : "bytes"))
      for (name, shard) in [("train", dataset.train), ("validation", dataset.validation)] {
        let summary = shard.summary
        let ratio = Double(summary.textBytes) / Double(max(1, summary.tokens))
        try StandardOutput.print(
          "\(name): \(summary.documents) documents, \(summary.tokens) tokens, "
            + "\(summary.textBytes) bytes of text, \((ratio * 100).rounded() / 100) bytes a token")
      }
      for document in try dataset.train.inspectDocuments(documents, tokenizer: tokenizer) {
        try StandardOutput.print("\n— document \(document.index), tokens \(document.tokens)")
        try StandardOutput.print(document.text)
      }
    }
  }
}
