import ArgumentParser
import Foundation
import MPI
import Monitoring
import Tensors
import Training

extension ExampleDataOptions.Template: ExpressibleByArgument {}

/// `apus evaluate`: how good models are, one line for each, alone or under `mpirun`.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure models on texts, conversations, labelled texts or pairs.",
    discussion: """
      mpirun -np 2 apus evaluate runs/base runs/chat --records talk.jsonl

      Texts give loss, perplexity and bits per byte; conversations the loss of the answers, token \
      accuracy and exact match; labelled texts a classifier's accuracy and F1; pairs a reward model's \
      accuracy, margin and calibration.
      """)

  @Argument(help: "Run folders, checkpoints, or Hugging Face folders.")
  var models: [String]

  @Option(help: "Files, folders or globs of text. Repeatable.")
  var texts: [String] = []

  @Option(help: "Files, folders or globs of records. Repeatable.")
  var records: [String] = []

  @Flag(help: "Leave bad records out.")
  var skipBad = false

  @Option(help: "How conversations are written: auto, chatml, llama3 or plain.")
  var template = ExampleDataOptions.Template.auto

  @Option(help: "Operands of the products: fp32, bf16, or auto.")
  var precision = TrainingOptions.PrecisionChoice.fp32

  @OptionGroup var ranks: RankArguments

  @Flag(help: "Print a JSON object a line.")
  var json = false

  func validate() throws {
    if models.isEmpty { throw ValidationError("Name at least one model.") }
    if texts.isEmpty && records.isEmpty {
      throw ValidationError("Give --texts or --records to measure by.")
    }
  }

  func run() throws {
    try ranks.run { world, workers in
      for path in models {
        let evaluation = try ModelEvaluation(
          path: path, world: world, workers: workers, precision: precision.resolved)
        var figures: [Figure] = []
        if !texts.isEmpty { figures += try evaluation.texts(texts) }
        if !records.isEmpty {
          figures += try evaluation.records(records, template: template, skipsBad: skipBad)
        }
        if world.rank == 0 { try print(figures, of: path) }
      }
    }
  }

  private func print(_ figures: [Figure], of path: String) throws {
    if json {
      let object = Dictionary(figures.map { ($0.name, $0.value) }) { first, _ in first }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      let text = String(decoding: try encoder.encode(object), as: UTF8.self)
      return try StandardOutput.print(#"{"model":"\#(path)","figures":\#(text)}"#)
    }
    let words = figures.map { "\($0.name) \(String(format: "%.4f", $0.value))" }
    try StandardOutput.print(path + "  " + words.joined(separator: "  "))
  }
}
