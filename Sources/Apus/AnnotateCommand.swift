import Annotation
import ArgumentParser
import Files

/// `apus annotate`: human judgements of pairs of answers.
struct AnnotateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "annotate",
    abstract: "Judge pairs of answers blind, and report and export the judgements.",
    subcommands: [Ask.self, Pairs.self, Report.self, Export.self], defaultSubcommand: Ask.self)

  struct Pairs: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "List the pairs as JSON lines, to judge them elsewhere.")

    @Argument(help: "File of judgements (SQLite).")
    var judgements: String

    @Option(help: "Annotator whose unjudged pairs are listed, in the annotator's order and sides.")
    var annotator: String?

    @Option(help: "File to write (default: standard output).")
    var output: String?

    var inputs: [String] { [judgements] }
    var outputs: [String] { output.map { [$0] } ?? [] }

    func run() throws {
      let store = try JudgementStore(reading: judgements)
      let lines =
        if let annotator {
          try PairListing.lines(of: store, for: annotator)
        } else {
          try PairListing.lines(of: store)
        }
      guard let output else {
        try StandardOutput.write(lines.map { $0 + "\n" }.joined().utf8)
        return
      }
      try PendingFile.write(
        Array(lines.map { $0 + "\n" }.joined().utf8), to: output, acceptsDevice: true)
      try StandardOutput.print("\(output): \(lines.count, "pair")")
    }
  }

  struct Report: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Report counts, agreement between annotators, and win rates of models.")

    @Argument(help: "File of judgements (SQLite).")
    var judgements: String

    var inputs: [String] { [judgements] }

    func run() throws {
      let store = try JudgementStore(reading: judgements)
      let report = JudgementReport(
        pairs: try store.pairs(), judgements: try store.judgements())
      try StandardOutput.write(report.text.visible(keepsLines: true).utf8)
    }
  }

  struct Export: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the preferences as JSON lines, the input of apus reward.")

    @Argument(help: "File of judgements (SQLite).")
    var judgements: String

    @Option(help: "File to write.")
    var output: String

    @Flag(help: "Keep ties: each is written in both orders, with margin 0.")
    var ties = false

    var inputs: [String] { [judgements] }
    var outputs: [String] { [output] }

    func run() throws {
      let store = try JudgementStore(reading: judgements)
      let export = try PreferenceExport(
        pairs: try store.pairs(), judgements: try store.judgements(), keepsTies: ties)
      try PendingFile.write(
        Array(export.lines.map { $0 + "\n" }.joined().utf8), to: output, acceptsDevice: true)
      let rest =
        export.undecided == 0
        ? ""
        : "; \(export.undecided, "pair") without a better answer left out"
      try StandardOutput.print("\(output): \(export.lines.count, "preference")\(rest)")
    }
  }
}
