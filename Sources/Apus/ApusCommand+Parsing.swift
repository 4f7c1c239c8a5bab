import ArgumentParser
import Configuration
import Phases

extension ApusCommand {
  /// Returns the command that `words` ask for.
  ///
  /// - Throws: An error of ArgumentParser, or `ValidationError` for a subcommand that does not exist.
  static func command(from words: [String]) throws -> any ParsableCommand {
    try checkSubcommands(words[...], of: ApusCommand.self, called: "apus")
    do {
      return try parseAsRoot(joiningNegativeNumbers(words))
    } catch {
      if !exitCode(for: error).isSuccess { try checkOptions(words) }
      throw error
    }
  }

  /// Refuses an option that other programs call so, with its name or key here.
  private static func checkOptions(_ words: [String]) throws {
    var command: any ParsableCommand.Type = ApusCommand.self
    for word in words {
      guard let next = command.configuration.subcommands.first(where: { $0._commandName == word })
      else { break }
      command = next
    }
    let own = Set(
      helpMessage(for: command).split { !$0.isLetter && $0 != "-" }.map(String.init))
    for word in words.prefix(while: { $0 != "--" }) where word.hasPrefix("-") {
      let option = String(word.prefix { $0 != "=" })
      if own.contains(option) { continue }
      let there = optionsElsewhere.first { $0.value.contains(String(Spelling.plain(option))) }?.key
      if let there, own.contains(there) {
        throw ValidationError("There is no option \(option); it is \(there).")
      }
      if own.contains("--set"), let key = Spelling.key(elsewhereCalled: option) {
        throw ValidationError("There is no option \(option); it is --set \(key)=… .")
      }
    }
  }

  /// The names that other programs give to options, in lower case and without punctuation.
  private static let optionsElsewhere = [
    "--max-length": ["maxlength", "maxseqlength"],
    "--output": ["o", "out", "outdir", "outputdir", "outfile", "savedir"],
    "--samples": ["n", "numreturnsequences", "numsamples"],
    "--temperature": ["temp"],
    "--threads": ["t", "nthreads", "numthreads", "workers"],
    "--tokens": ["maxlength", "maxnewtokens", "maxtokens", "npredict"],
    "--vocabulary": ["vocab", "vocabsize"],
  ]

  /// Refuses a subcommand that does not exist, before ArgumentParser takes its name for an argument
  /// or prints the help of the command above it.
  private static func checkSubcommands(
    _ words: ArraySlice<String>, of parent: any ParsableCommand.Type, called name: String
  ) throws {
    let configuration = parent.configuration
    guard let word = words.first, !word.hasPrefix("-"), !configuration.subcommands.isEmpty else {
      return
    }
    if name == "apus", word == "help" {
      return try checkSubcommands(words.dropFirst(), of: parent, called: name)
    }
    if let next = configuration.subcommands.first(where: { $0._commandName == word }) {
      return try checkSubcommands(words.dropFirst(), of: next, called: "\(name) \(word)")
    }
    // With a default subcommand the word may be an argument.
    guard configuration.defaultSubcommand == nil else { return }
    throw ValidationError(
      "There is no subcommand \(name) \(word); "
        + (PhaseKind.known(elsewhereAs: word).map { "it is apus \($0)." }
          ?? nearestSubcommands[word] ?? suggestion(for: word, of: parent, called: name)))
  }

  /// Subcommands of other tools, with the nearest one of apus.
  private static let nearestSubcommands = [
    "convert": "apus export writes a model in another format or type of numbers.",
    "resume": "the command that started a run continues it.",
    "chat": "apus generate MODEL MESSAGE --chat answers one message.",
    "infer": "apus generate MODEL TEXT continues a text.",
    "merge": "apus export merges LoRA adapters.",
    "predict": "apus evaluate measures a classifier on texts whose labels are known.",
    "serve": "apus export writes a folder that other servers of models read.",
    "test": "apus evaluate measures models.",
    "tokenize": "apus tokenizer encode prints ids, and apus data build writes those of a corpus.",
    "train": "a phase of training has its own: apus pretrain, finetune, reward or align.",
  ]

  private static func suggestion(
    for word: String, of parent: any ParsableCommand.Type, called name: String
  ) -> String {
    // Also a command at another place, such as apus model inspect for apus inspect.
    let own = subcommands(of: parent, name)
    let all = own + subcommands(of: ApusCommand.self, "apus").filter { !own.contains($0) }
    let names = all.map { String($0.split(separator: " ").last ?? "") }
    guard let nearest = Spelling.nearest(to: word, among: names) else {
      return "\(name) --help lists them."
    }
    let found = zip(all, names).filter { $0.1 == nearest }.map(\.0)
    return "did you mean \(found.joined(separator: " or "))?"
  }

  /// The subcommands of `parent`, at any depth, as they are written.
  private static func subcommands(
    of parent: any ParsableCommand.Type, _ name: String
  ) -> [String] {
    parent.configuration.subcommands.filter { $0.configuration.shouldDisplay }.flatMap {
      let own = "\(name) \($0._commandName)"
      return [own] + subcommands(of: $0, own)
    }
  }

  /// Writes `--option -1` as `--option=-1`: ArgumentParser takes `-1` for an option of its own and
  /// reports the value as missing.
  private static func joiningNegativeNumbers(_ words: [String]) -> [String] {
    var joined: [String] = []
    for (index, word) in words.enumerated() {
      if word.hasPrefix("-"), Double(word) != nil, let option = joined.last,
        option.hasPrefix("--"), option != "--", !option.contains("=")
      {
        joined[joined.count - 1] += "=\(word)"
      } else if word == "--" {
        return joined + words[index...]
      } else {
        joined.append(word)
      }
    }
    return joined
  }
}
