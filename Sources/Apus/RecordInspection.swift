import ArgumentParser
import Datasets
import Tokenizers

/// How `apus data inspect` shows records: what becomes of them, and the first of them as tokens.
struct RecordInspection: ParsableArguments {
  @Option(help: "chatml, llama3 or plain; of records, the one kept with the tokenizer when absent.")
  var template: ChatTemplate?

  @Option(help: "Records to show.")
  var examples = 3

  @Option(
    help: "Tokens of the model's context, over which examples do not fit; no limit when absent.")
  var context: Int?

  @Flag(help: "Cut examples that do not fit, instead of leaving them out.")
  var truncate = false

  @Flag(help: "Leave out and count records that cannot be used, instead of stopping at the first.")
  var skipBad = false

  func validate() throws {
    if let context, context < 1 {
      throw ValidationError("--context must be at least 1, not \(context).")
    }
  }

  /// Prints the figures of the records of `sources`, the first of them, and last what stands against
  /// learning from them.
  func run(_ sources: [String], tokenizer name: String) throws {
    let tokenizer = try TokenizerCommand.load(name)
    let set = try RecordSet(reading: sources, validation: .fraction(0), skipsBad: skipBad)
    for path in set.ignored { Failure.report("\(path) is left out: not .jsonl, .json or .csv.") }
    if set.skipped.count > 0 {
      try StandardOutput.print("\(set.skipped.count) records left out:")
      for error in set.skipped.first { try StandardOutput.print("  \(error)") }
    }
    let options = ExampleOptions(
      context: context ?? 1 << 30, truncates: truncate, skipsBad: skipBad)
    if case .labelled = set.train[0].record {
      return try showTexts(set.train, tokenizer, options)
    }
    if case .tagged = set.train[0].record { return try showTags(set.train, tokenizer, options) }
    let chat = ChatEncoder(try resolvedTemplate(of: name, tokenizer), tokenizer: tokenizer)
    let view = TokenView(tokenizer)
    switch set.train[0].record {
    case .pair:
      let pairs = try PairSet(set.train, chat: chat, options: options)
      try StandardOutput.print("Both sides of pairs counted: \(pairs.statistics)")
    case .prompt:
      let prompts = try PromptSet(set.train, chat: chat, answer: 1, options: options)
      try StandardOutput.print("\(prompts.statistics)")
    default:
      let conversations = try ExampleSet(set.train, chat: chat, options: options)
      try StandardOutput.print("\(conversations.statistics)")
      try show(set.train, chat, view)
      return try conversations.checkMask()
    }
    try show(set.train, chat, view)
  }

  private func resolvedTemplate(
    of name: String, _ tokenizer: any Tokenizer
  ) throws -> ChatTemplate {
    if let template { return template }
    if name != "bytes", let own = try TokenizerFile.template(from: name, for: tokenizer) {
      return own
    }
    throw Failure.Refusal(
      "the tokenizer \(name) has no chat template; say how conversations are written with "
        + "--template " + ChatTemplate.builtIn.map(\.name).joined(separator: ", --template "))
  }

  private func show(_ records: [LocatedRecord], _ chat: ChatEncoder, _ view: TokenView) throws {
    for record in records.prefix(examples) {
      switch record.record {
      case .conversation(let conversation):
        try view.show(try chat.encode(conversation), title: "\(record.place)")
      case .pair(let pair):
        try view.show(
          try chat.encode(pair.chosen, to: pair.prompt), title: "\(record.place), chosen")
        try view.show(
          try chat.encode(pair.rejected, to: pair.prompt), title: "\(record.place), rejected")
      case .prompt(let messages):
        try view.show(try chat.encode(prompt: messages), title: "\(record.place)")
      case .labelled, .tagged: continue
      }
    }
  }

  private func showTexts(
    _ records: [LocatedRecord], _ tokenizer: any Tokenizer, _ options: ExampleOptions
  ) throws {
    let set = try LabelSet(records, tokenizer: tokenizer, task: .classes(nil), options: options)
    try StandardOutput.print("\(set.statistics)")
    for (index, name) in set.classes.enumerated() {
      let count = set.labels.count { $0 == Float(index) }
      try StandardOutput.print("label \(name): \(count) texts")
    }
    for record in records.prefix(examples) {
      guard case .labelled(let text, let label) = record.record else { continue }
      try TokenView(tokenizer).show(
        tokenizer.encode(text), title: "\(record.place), label \(label.text)")
    }
  }
}

extension RecordInspection {
  private func showTags(
    _ records: [LocatedRecord], _ tokenizer: any Tokenizer, _ options: ExampleOptions
  ) throws {
    let set = try TagSet(records, tokenizer: tokenizer, classes: nil, options: options)
    try StandardOutput.print("\(set.statistics)")
    for record in records.prefix(examples) {
      guard case .tagged(let words, let tags) = record.record else { continue }
      let pairs = zip(words, tags).map { "\($0)/\($1)" }.joined(separator: " ")
      try StandardOutput.print("\(record.place): \(pairs)")
    }
  }
}

extension ChatTemplate: ExpressibleByArgument {
  /// The built-in template called `argument`.
  public init?(argument: String) { self.init(named: argument) }

  /// The names of the built-in templates.
  public static var allValueStrings: [String] { builtIn.map(\.name) }
}
