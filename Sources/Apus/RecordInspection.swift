import ArgumentParser
import Datasets
import Files
import Tokenizers

/// `apus data inspect` for records: their statistics, and the first of them as tokens.
struct RecordInspection: ParsableArguments {
  @Option(
    help: "Chat template of records: chatml, llama3 or plain (default: the tokenizer's own).")
  var template: ChatTemplate?

  @Option(help: "Number of records to show.")
  var examples = 3

  @Option(
    help: "Context of the model in tokens; longer examples do not fit (default: no limit).")
  var context: Int?

  @Flag(help: "Truncate examples that do not fit, instead of leaving them out.")
  var truncate = false

  @OptionGroup var fields: FieldArguments

  @Flag(help: "Leave out bad records and count them, instead of stopping at the first.")
  var skipBad = false

  func validate() throws {
    try requireOneOrMore(context, of: "--context")
  }

  /// Prints the statistics of the records in `sources` and the first of them, then checks that the
  /// loss mask of conversations can be trained on.
  ///
  /// - Throws: A `DatasetError` for the first bad record, or for an unusable loss mask.
  func run(_ sources: [String], tokenizer name: String) throws {
    let tokenizer = try TokenizerCommand.load(name)
    let set = try RecordSet(
      reading: sources, validation: .fraction(0), names: try fields.names, skipsBad: skipBad)
    for path in set.ignored { Failure.report("\(path) is left out: not .jsonl, .json or .csv.") }
    if let note = set.skipped.emptyFilesNote { Failure.report("\(note).") }
    if !set.unused.isEmpty { Failure.report("not used: \(set.unused).") }
    if set.skipped.count > 0 {
      try StandardOutput.print("\(set.skipped.count, "record") left out:")
      for error in set.skipped.first { try StandardOutput.print("  \(error)") }
    }
    let options = ExampleOptions(
      context: context ?? 1 << 30, truncates: truncate, skipsBad: skipBad)
    try refuseTruncation(of: set.train[0].record)
    if case .labelled = set.train[0].record {
      return try showTexts(set.train, tokenizer, options)
    }
    if case .tagged = set.train[0].record { return try showTags(set.train, tokenizer, options) }
    let chat = ChatEncoder(try resolvedTemplate(of: name, tokenizer), tokenizer: tokenizer)
    for note in chat.notes { Failure.report("\(note).") }
    let view = TokenView(tokenizer)
    switch set.train[0].record {
    case .pair:
      let pairs = try PairSet(set.train, chat: chat, options: options)
      try StandardOutput.print("Chosen and rejected together: \(pairs.statistics)")
    case .unpaired:
      let answers = try UnpairedPreferenceSet(set.train, chat: chat, options: options)
      let good = answers.isDesirable.count { $0 }
      try StandardOutput.print(
        "\(answers.statistics); \(good) good and \(answers.count - good) bad")
    case .prompt:
      let prompts = try PromptSet(set.train, chat: chat, completion: 1, options: options)
      try StandardOutput.print("\(prompts.statistics)")
    default:
      let conversations = try ExampleSet(set.train, chat: chat, options: options)
      try StandardOutput.print("\(conversations.statistics)")
      try show(set.train, chat, view)
      return try conversations.checkLossMask()
    }
    try show(set.train, chat, view)
  }

  /// Refuses `--truncate` for records that mean something else once they are cut.
  private func refuseTruncation(of record: Record) throws {
    switch record {
    case .conversation, .labelled, .tagged: return
    case .pair, .unpaired, .prompt:
      guard truncate else { return }
      throw Failure.Refusal(
        "--truncate is refused for \(record.kind): cut to the context, it would mean something "
          + "else; without the option, longer ones are left out and counted")
    }
  }

  private func resolvedTemplate(
    of name: String, _ tokenizer: any Tokenizer
  ) throws -> ChatTemplate {
    if let template { return template }
    if name != "bytes", let own = try TokenizerFile.template(from: name, for: tokenizer) {
      return own
    }
    throw Failure.Refusal(
      "the tokenizer \(name) has no chat template: give --template with one of "
        + ChatTemplate.builtIn.map(\.name).joined(separator: ", "))
  }

  private func show(_ records: [LocatedRecord], _ chat: ChatEncoder, _ view: TokenView) throws {
    var shown = 0
    for record in records where shown < examples {
      do {
        try show(record, chat, view)
      } catch {
        // The statistics have counted it.
        if skipBad { continue }
        throw error
      }
      shown += 1
    }
  }

  private func show(_ record: LocatedRecord, _ chat: ChatEncoder, _ view: TokenView) throws {
    switch record.record {
    case .conversation(let conversation):
      try view.show(try chat.encode(conversation), title: "\(record.place)")
    case .pair(let pair):
      try view.show(
        try chat.encode(pair.chosen, to: pair.prompt), title: "\(record.place), chosen")
      try view.show(
        try chat.encode(pair.rejected, to: pair.prompt), title: "\(record.place), rejected")
    case .unpaired(let preference):
      try view.show(
        try chat.encode(preference.answer, to: preference.prompt),
        title: "\(record.place), \(preference.isDesirable ? "good" : "bad")")
    case .prompt(let prompt):
      try view.show(try chat.encode(prompt: prompt), title: "\(record.place)")
    case .labelled, .tagged: break
    }
  }

  private func showTexts(
    _ records: [LocatedRecord], _ tokenizer: any Tokenizer, _ options: ExampleOptions
  ) throws {
    let set = try LabelSet(records, tokenizer: tokenizer, task: .classes(nil), options: options)
    try StandardOutput.print("\(set.statistics)")
    for (index, name) in set.classes.enumerated() {
      let count = set.labels.count { $0 == Float(index) }
      try StandardOutput.print("label \(name): \(count, "text")")
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
  package init?(argument: String) { self.init(named: argument) }

  /// The names of the built-in templates.
  package static var allValueStrings: [String] { builtIn.map(\.name) }
}
