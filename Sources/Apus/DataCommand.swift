import ArgumentParser
import Aviary
import Checkpoints
import Datasets
import Files
import Foundation
import Tokenizers

/// `apus data`: builds token shards from text, and shows datasets and records.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Build token shards from text; inspect datasets and records.",
    subcommands: [Build.self, Inspect.self, AviaryCommand.self])

  struct Build: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Tokenize documents into train.tokens and validation.tokens.")

    @Argument(
      help: """
        Text files (.txt, .jsonl, .gz), folders or globs; or aviary or aviary-small, the synthetic \
        stories of apus data aviary.
        """)
    var sources: [String]

    @Option(help: "Folder to write the dataset into.")
    var output: String

    @Option(help: "Tokenizer: bytes, or the path of a tokenizer file or folder.")
    var tokenizer = "bytes"

    @Option(help: "Fraction of the text held out for validation.")
    var validation = 0.1

    @Option(
      help: "File, folder or glob to validate on, instead of held-out documents. Repeatable.")
    var validationFiles: [String] = []

    @Option(help: "Number of stories when the source is an aviary.")
    var stories = 20_000

    @Option(help: "JSON field that holds the text.")
    var textField = "text"

    @Flag(help: "Leave out lines that hold no text and count them, instead of stopping.")
    var skipBad = false

    func validate() throws {
      try requireOneOrMore(stories, of: "--stories")
    }

    private var world: Aviary? { Aviary(sources: sources, seed: 1) }
    var inputs: [String] {
      (world == nil ? sources : []) + validationFiles + TokenizerCommand.path(tokenizer)
    }
    var outputs: [String] { [output] }

    func run() throws {
      let name = tokenizer
      let tokenizer = try TokenizerCommand.load(name)
      let plan = try DatasetPlan(
        sources: world.map { world in
          .generated(name: "\(sources[0]), seed 1", count: stories) {
            Document(text: world.text(at: $0), source: sources[0], index: $0)
          }
        } ?? .files(sources),
        validation: validationFiles.isEmpty ? .fraction(validation) : .files(validationFiles),
        textField: textField, skipsBad: skipBad)
      for path in plan.ignored { Failure.report("\(path) is left out: not .txt or .jsonl.") }
      let dataset = try DatasetBuilder.build(
        plan, tokenizer: tokenizer,
        fingerprint: Dataset.fingerprint(of: tokenizer), into: output,
        threads: max(1, ProcessInfo.processInfo.activeProcessorCount),
        skipped: { skipped in
          if skipped.count > 0 {
            Failure.report("\(skipped.count, "line is", "lines are") left out:")
            for error in skipped.first { Failure.report("  \(error)") }
          }
          if let note = skipped.emptyFilesNote { Failure.report("\(note).") }
        })
      try TokenizerFile.save(
        tokenizer, toFolder: output, template: try TokenizerCommand.template(of: name, tokenizer))
      for (name, summary) in [
        ("train", dataset.description.train), ("validation", dataset.description.validation),
      ] {
        try StandardOutput.print(
          "\(output)/\(name).tokens: \(DataCommand.counts(summary))")
      }
      let description = dataset.description
      let whole = (description.sources + description.validationSources).reduce(0) {
        $0 + $1.documents
      }
      let split = description.train.documents + description.validation.documents - whole
      if split > 0 {
        try StandardOutput.print(
          "\(split, "document") of \(whole) \(split == 1 ? "counts" : "count") in both: the end of a "
            + "long one is held out")
      }
    }
  }

  struct Inspect: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Show a dataset, or records as tokens with their loss mask.",
      discussion: """
        For a built dataset, prints its counts and first documents. For files of records (.jsonl, \
        .json or .csv with conversations, prompts and completions, preference pairs, labelled \
        texts or tagged words), prints their counts and the first records as tokens; the tokens in \
        the loss are in colour or in \u{27E6}brackets\u{27E7}.
        """)

    @Argument(help: "Folder of a built dataset; or files, folders or globs of records.")
    var sources: [String]

    @Option(help: "Number of documents of a dataset to show.")
    var documents = 3

    @Option(
      help: """
        Tokenizer, as in build (default: the dataset's own, or that of the run that built it; bytes \
        for records).
        """)
    var tokenizer: String?

    @OptionGroup var records: RecordInspection

    var inputs: [String] { sources + (tokenizer.map(TokenizerCommand.path) ?? []) }

    func run() throws {
      if sources.count > 1 || !FileManager.default.fileExists(atPath: "\(sources[0])/dataset.json")
      {
        return try records.run(sources, tokenizer: tokenizer ?? "bytes")
      }
      let folder = sources[0]
      let dataset = try Dataset(opening: folder)
      try dataset.verify()
      let tokenizer = try tokenizer(of: dataset)
      for (name, shard) in [("train", dataset.train), ("validation", dataset.validation)] {
        let summary = shard.summary
        let ratio = Double(summary.textBytes) / Double(max(1, summary.tokens))
        try StandardOutput.print(
          "\(name): \(DataCommand.counts(summary)), \((ratio * 100).rounded() / 100) bytes a token")
      }
      for document in try dataset.train.inspectDocuments(documents, tokenizer: tokenizer) {
        try StandardOutput.print("\n— document \(document.index), tokens \(document.tokens)")
        try StandardOutput.print(document.text)
      }
    }

    /// The given tokenizer, that in the folder of `dataset`, or that of the run whose folder holds it.
    private func tokenizer(of dataset: Dataset) throws -> any Tokenizer {
      let folder = dataset.folder
      if let name = tokenizer {
        let given = try TokenizerCommand.load(name)
        guard dataset.isMade(with: given) else {
          throw Failure.Refusal(
            "\(folder) was made with another tokenizer than \(name): give the one that made it with "
              + "--tokenizer.")
        }
        return given
      }
      let isOwn = try FileSystem.exists("\(folder)/tokenizer.json")
      let own: any Tokenizer = isOwn ? try TokenizerFile.load(from: folder) : ByteTokenizer()
      if isOwn || dataset.isMade(with: own) { return own }
      let run = FileSystem.parent(of: folder)
      if let model = try? ModelFolder(unverified: run), dataset.isMade(with: model.tokenizer) {
        return model.tokenizer
      }
      throw Failure.Refusal(
        "\(folder) was made with a tokenizer that is neither there nor in a checkpoint in \(run): give "
          + "it with --tokenizer.")
    }
  }

  private static func counts(_ shard: TokenShard.Summary) -> String {
    "\(shard.documents, "document"), \(shard.tokens, "token"), \(shard.textBytes, "byte") of text"
  }
}
