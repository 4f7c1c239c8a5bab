import ArgumentParser
import Tensors
import Phases
import Training

extension ExampleDataOptions.Template: ExpressibleByArgument {}

/// `apus evaluate`: metrics of models, one row for each, in one process or under `mpirun`.
struct EvaluateCommand: CollectiveSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Evaluate models on texts, conversations, labelled or tagged texts, or preferences.",
    discussion: """
      mpirun -np 2 apus evaluate runs/base runs/chat --records talk.jsonl

      Texts: loss, perplexity and bits per byte; the end of each text counts as a token, unless \
      --without-end is given. Conversations: loss of the answers, token \
      accuracy and exact match. Labelled texts and tagged words: accuracy and F1 of a classifier. \
      Preference pairs: accuracy, margin and calibration of a reward model. Instructions of the \
      Aviary (the synthetic stories of apus data aviary): fractions of followed instructions, \
      kind endings and consistent stories, and one answer of each model.
      """)

  @Argument(help: "Run folders, checkpoints or Hugging Face folders.")
  var models: [String]

  @Option(help: "File, folder or glob of text. Repeatable.")
  var texts: [String] = []

  @Option(help: "Largest number of positions of a text or record (default: the model's).")
  var context: Int?

  @Flag(help: "Leave the end of each text out of the loss (causal models).")
  var withoutEnd = false

  @Option(help: "File, folder or glob of records. Repeatable.")
  var records: [String] = []

  @Option(help: "File of prompts by apus data aviary --kind prompts. Repeatable.")
  var instructions: [String] = []

  @Option(help: "Maximum number of tokens of an answer to an instruction.")
  var tokens = 160

  @Option(help: "Sampling temperature of these answers.")
  var temperature = 1.0

  @Option(help: "Seed of these answers.")
  var seed: UInt64 = 1

  @OptionGroup var fields: FieldArguments

  @Flag(help: "Leave out bad records, and count them.")
  var skipBad = false

  @Option(help: "Chat template: auto, chatml, llama3 or plain.")
  var template = ExampleDataOptions.Template.auto

  @Option(help: "Operand precision of the matrix products: fp32, bf16 or auto.")
  var precision = TrainingOptions.PrecisionChoice.fp32

  @OptionGroup var ranks: RankArguments

  @Flag(help: "Print one JSON object per line.")
  var json = false

  func validate() throws {
    if models.isEmpty { throw ValidationError("Name at least one model.") }
    if texts.isEmpty && records.isEmpty && instructions.isEmpty {
      throw ValidationError("Give --texts, --records or --instructions to evaluate on.")
    }
    if withoutEnd && texts.isEmpty {
      throw ValidationError("--without-end concerns --texts: give some, or leave it out.")
    }
    try requireOneOrMore(tokens, of: "--tokens")
    if let context, context < 3 {
      throw ValidationError("--context must be 3 or more, not \(context).")
    }
    if !(temperature >= 0 && temperature.isFinite) {
      throw ValidationError("--temperature must be 0 or more, not \(temperature).")
    }
  }

  var inputs: [String] { models + texts + records + instructions }
}
