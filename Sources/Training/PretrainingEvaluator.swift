import Aviary
import DataParallel
import Datasets
import Evaluation
import Generation
import Models
import Monitoring
import Tokenizers

/// Evaluates the model on the validation set and on that of the replayed corpus, sharded over all
/// workers of all ranks.
final class PretrainingEvaluator: Evaluator {
  private let phase: Pretraining
  private let plan: TrainingPlan
  private let validation: ValidationSet
  /// The validation set of the replayed corpus; nil without one.
  private let replay: ValidationSet?

  init(_ phase: Pretraining, tokens: TokenStream, replay: TokenStream?) throws {
    self.phase = phase
    plan = phase.plan
    validation = try ValidationSet(of: phase, tokens: tokens)
    self.replay = try replay.map { try ValidationSet(of: phase, tokens: $0) }
  }

  /// True when stories are sampled or training continues from a model: both have a baseline.
  var evaluatesBeforeTraining: Bool { phase.writesStories || phase.options.start != nil }

  /// Computes the losses and, for the Aviary, the fraction of consistent stories.
  ///
  /// Collective.
  ///
  /// - Returns: The report, equal on every rank except for the time, and on rank 0 a generated
  ///   story.
  func evaluate(_ trainer: Trainer) throws -> (report: EvaluationReport, note: String?) {
    var clock = Stopwatch()
    let total = try validation.measure(trainer.replicas)
    var report = EvaluationReport(
      step: trainer.state.step, validationLoss: total.mean,
      bitsPerByte: validation.bitsPerByte(total), tokens: Int(total.count), seconds: 0)
    if let replay {
      let total = try replay.measure(trainer.replicas)
      report.figures.append(Figure("replayLoss", total.mean))
      if let bits = replay.bitsPerByte(total) {
        report.figures.append(Figure("replayBitsPerByte", bits))
      }
    }
    var story: String?
    if phase.writesStories {
      let (figures, first) = try checkStories(trainer)
      report.figures += figures
      story = first.map { "story: \($0)" }
    }
    report.seconds = clock.lap()
    report.isBest = trainer.isBest(total.mean)
    return (report, story)
  }

  /// Samples stories, eight at a time, and checks them.
  private func checkStories(_ trainer: Trainer) throws -> (figures: [Figure], first: String?) {
    let group = 8
    let count = phase.options.evaluateStories
    let first = FirstStory()
    let totals = try trainer.replicas.totals(count: (count + group - 1) / group, tallies: 2) {
      [plan, step = trainer.state.step] replica, workspace, index in
      let generate = Generator(replica.model, configuration: plan.model, in: workspace)
      let stories = generate(
        .init(
          prompt: [plan.tokenizer.endOfText],
          sequences: index * group..<min(count, (index + 1) * group), maximum: 640,
          sampling: Sampling(temperature: 0.5), end: plan.tokenizer.endOfText,
          vocabulary: plan.tokenizer.vocabularySize, seed: UInt64(plan.options.seed), step: step))
      let texts = try stories.map {
        String(decoding: try plan.tokenizer.decode($0), as: UTF8.self)
      }
      if index == 0 { first.text = texts.first }
      let counts = StoryChecker.counts(of: texts)
      return [
        Tally(sum: Double(counts.consistent), count: Double(counts.stories)),
        Tally(sum: Double(counts.soundSentences), count: Double(counts.sentences)),
      ]
    }
    let figures = [
      Figure("consistentStories", totals[0].mean), Figure("soundSentences", totals[1].mean),
    ]
    return (figures, first.text)
  }
}

private final class FirstStory: @unchecked Sendable {
  // Sendable: written by the one worker that has index 0, read after the pool's wait.
  var text: String?
}

extension Pretraining {
  /// True when evaluations sample and check stories.
  var writesStories: Bool {
    Aviary(sources: options.data.train, seed: 0) != nil && options.evaluateStories > 0
      && masking == nil && corruption == nil
  }
}
