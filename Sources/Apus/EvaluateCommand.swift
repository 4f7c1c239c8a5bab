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
      accuracy, margin and calibration; instructions of the Aviary the share of them that are \
      followed, of kind endings and of consistent stories, with an answer of each model.
      """)

  @Argument(help: "Run folders, checkpoints, or Hugging Face folders.")
  var models: [String]

  @Option(help: "Files, folders or globs of text. Repeatable.")
  var texts: [String] = []

  @Option(help: "Files, folders or globs of records. Repeatable.")
  var records: [String] = []

  @Option(help: "Files of prompts that are instructions of the Aviary. Repeatable.")
  var instructions: [String] = []

  @Option(help: "Most tokens of an answer to an instruction.")
  var tokens = 160

  @Option(help: "Temperature of those answers.")
  var temperature = 1.0

  @Option(help: "Seed of those answers.")
  var seed: UInt64 = 1

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
    if texts.isEmpty && records.isEmpty && instructions.isEmpty {
      throw ValidationError("Give --texts, --records or --instructions to measure by.")
    }
    if tokens < 1 { throw ValidationError("--tokens must be at least 1, not \(tokens).") }
    if !(temperature >= 0 && temperature.isFinite) {
      throw ValidationError("--temperature must be 0 or more, not \(temperature).")
    }
  }

  func run() throws {
    try ranks.run { world, workers in
      try measure(world, workers: workers)
    }
  }
}
