import Annotation
import ArgumentParser
import Datasets
import Files
import Foundation
import Monitoring
import Tensors

extension AnnotateCommand {
  /// `apus annotate ask`: adds pairs and judgements to a file, and asks an annotator.
  struct Ask: Subcommand {
    static let configuration = CommandConfiguration(
      commandName: "ask", abstract: "Add pairs, and judge them.",
      discussion: """
        apus annotate judgements.sqlite --pairs pairs.jsonl --annotator anna
        apus annotate judgements.sqlite --model runs/a --model runs/b --prompts prompts.jsonl

        A judgement is one line: l (left), r (right), t (tie), b (both bad), s (skip), u (undo) or \
        q (quit); the rest of the line is stored as a note. Standard input may be a pipe of such \
        lines.
        """)

    @Argument(help: "File of judgements (SQLite); created if it does not exist.")
    var judgements: String

    @Option(
      help: "Name of the annotator, who resumes at the first unjudged pair; asks nothing if absent."
    )
    var annotator: String?

    @Option(help: "File of preference pairs to add (.jsonl, .json, .csv). Repeatable.")
    var pairs: [String] = []

    @Option(help: "Model to sample two answers per prompt from; if given twice, one from each.")
    var model: [String] = []

    @Option(help: "File of records whose prompts the models answer. Repeatable.")
    var prompts: [String] = []

    @Option(help: "Judgements made elsewhere: JSON lines with pair, annotator, answer and note.")
    var answers: String?

    @Option(help: "Reward model; the pairs with its smallest margins are asked first.")
    var reward: String?

    @Option(help: "Seed of the order, the sides and the sampling, for a new file (default: 1).")
    var seed: UInt64?

    @Flag(help: "Leave out bad records and judgements, and count them.")
    var skipBad = false

    @OptionGroup var fields: FieldArguments

    @OptionGroup var generation: GenerationArguments

    private var addsPairs: Bool { !pairs.isEmpty || !model.isEmpty }

    var inputs: [String] {
      pairs + model + prompts + [answers, reward].compactMap(\.self)
        + (addsPairs ? [] : [judgements])
    }
    var outputs: [String] { [judgements] }

    func validate() throws {
      if model.count > 2 {
        throw ValidationError("--model is given \(model.count) times, but a pair has two answers.")
      }
      if model.isEmpty != prompts.isEmpty {
        throw ValidationError("--model and --prompts need each other; give both or neither.")
      }
      if generation.tokens ?? 1 < 1 && !model.isEmpty {
        throw ValidationError("--tokens must be at least 1 to sample answers.")
      }
      if annotator == nil && reward != nil {
        throw ValidationError("--reward orders the pairs of an annotator; give --annotator too.")
      }
      if annotator == nil && answers == nil && !addsPairs {
        throw ValidationError("Give --annotator to judge, or --pairs, --model or --answers to add.")
      }
    }

    func run() throws {
      // Inputs are read before the store is opened, so that an error leaves no new file.
      let names = try fields.names
      let file = pairs.isEmpty ? nil : try PairFile(pairs, names: names, skipsBad: skipBad)
      let sampling =
        model.isEmpty
        ? nil : try PairSampling(model, prompts, fields: names, skipsBad: skipBad)
      MatrixLibrary.useCallingThreadOnly()
      let team = reward == nil ? nil : try generation.threads.team()
      defer { team?.stop() }
      let scoring = try reward.map { try RewardScoring($0, generation, team) }
      if !addsPairs && !FileManager.default.fileExists(atPath: judgements) {
        throw AnnotationError.missing(path: judgements)
      }
      if sampling != nil || reward != nil { generation.reportPrecision() }
      let store = try JudgementStore(path: judgements, seed: seed)
      if let file {
        report(file.skipped, file.unused)
        let added = try store.add(file.pairs)
        try StandardOutput.print("\(added) of \(file.pairs.count, "pair is", "pairs are") new.")
      }
      if let sampling {
        report(sampling.skipped, sampling.unused)
        try sampling.fill(store, generation)
      }
      if let answers { try take(answers, store) }
      if let annotator { try ask(annotator, store, scoring) }
    }

    private func report(_ skipped: SkippedRecords, _ unused: UnusedFields) {
      if !unused.isEmpty { Failure.report("not used: \(unused).") }
      if let note = skipped.emptyFilesNote { Failure.report("\(note).") }
      guard skipped.count > 0 else { return }
      Failure.report(
        "\(skipped.count, "record is", "records are") left out, the first because "
          + "\(skipped.first[0]).")
    }

    private func take(_ path: String, _ store: JudgementStore) throws {
      let file = try AnswerFile(path: path, for: store)
      for fault in file.faults { Failure.report(fault + ".") }
      if !file.faults.isEmpty && !skipBad {
        throw AnnotationError.badAnswers(path: path, count: file.faults.count)
      }
      let kept = try store.keep(file.judgements)
      let known = file.known + file.judgements.count - kept
      try StandardOutput.print(
        "\(kept, "answer is", "answers are") new, \(known, "was", "were") there already, "
          + "\(file.faults.count, "is", "are") left out.")
    }

    private func ask(
      _ annotator: String, _ store: JudgementStore, _ scoring: RewardScoring?
    ) throws {
      var session = try AnnotationSession(
        store, annotator: annotator, scorer: scoring.map { $0.score })
      let dialogue = AnnotationDialogue(
        columns: Terminal.columns(of: Terminal.ofStandardOutput ?? STDOUT_FILENO),
        showsPrompt: isatty(STDIN_FILENO) == 1,
        nextLine: { readLine() }, write: { try StandardOutput.write($0.utf8) })
      try dialogue.run(&session)
      let pairs = try store.pairCount()
      try StandardOutput.print(
        "\(annotator): \(session.given) judged now, \(pairs - session.remaining) of \(pairs) in all."
      )
    }
  }
}
