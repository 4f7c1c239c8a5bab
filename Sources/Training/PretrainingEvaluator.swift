import Aviary
import DataParallel
import Datasets
import Evaluation
import Generation
import Models
import Monitoring
import Tokenizers

/// Measures the model on the validation set, sharded over all workers of all ranks.
final class PretrainingEvaluator: Evaluator {
  private let phase: Pretraining
  private let plan: TrainingPlan
  private let loader: any EvaluationSource
  /// Bytes of text that the evaluated targets stand for; nil where only some of its tokens are.
  private let bytes: Double?

  init(_ phase: Pretraining, tokens: TokenStream) throws {
    self.phase = phase
    plan = phase.plan
    if let masking = phase.masking {
      loader = try MaskedTokenEvaluationLoader(
        tokens: tokens, masking: masking, context: plan.context, sequences: plan.rows,
        tokenLimit: phase.options.evaluateTokens)
      bytes = nil
      return
    }
    if let corruption = phase.corruption {
      loader = try SpanCorruptionEvaluationLoader(
        tokens: tokens, corruption: corruption, context: plan.sourceContext,
        sequences: plan.rows, tokenLimit: phase.options.evaluateTokens)
      bytes = nil
      return
    }
    let loader = try EvaluationLoader(
      tokens: tokens, context: plan.context, sequences: plan.rows,
      tokenLimit: phase.options.evaluateTokens,
      isolatesDocuments: phase.options.data.documentMask)
    let lengths = try plan.tokenizer.bytesPerToken()
    var bytes = 0
    for batch in 0..<loader.batchCount {
      for id in try tokens.ids(in: loader.targetRange(ofBatch: batch)) {
        bytes += Int(lengths[Int(id)])
      }
    }
    self.loader = loader
    self.bytes = Double(bytes)
  }

  /// Where stories are written, the share of consistent ones is known from the start.
  var measuresStart: Bool { phase.writesStories }

  /// The loss, and on the written world the share of consistent stories.
  ///
  /// Collective.
  ///
  /// - Returns: The report, equal on every rank but for the time, and on rank 0 a generated story.
  func evaluate(_ trainer: Trainer) throws -> (report: EvaluationReport, note: String?) {
    var clock = Stopwatch()
    let total = try trainer.replicas.totals(count: loader.batchCount) {
      [loader] replica, _, index in
      try loader.fill(&replica.batch, index: index)
      let (sum, count) = TokenLoss.sum(replica.model, replica.batch)
      return [Tally(sum: sum, count: count)]
    }[0]
    var report = EvaluationReport(
      step: trainer.state.step, validationLoss: total.mean,
      bitsPerByte: bytes.map { total.sum / $0 / 0.693147180559945 }, tokens: Int(total.count),
      seconds: 0)
    var story: String?
    if phase.writesStories {
      let (figures, first) = try checkStories(trainer)
      report.figures += figures
      story = first.map { "story: \($0)" }
    }
    report.seconds = clock.lap()
    // During a spike nothing is saved, so it cannot be the best to go back to.
    report.isBest =
      !trainer.isSuspicious && (trainer.state.best.map { total.mean < $0.loss } ?? true)
    return (report, story)
  }

  /// Writes stories, eight at a time, and checks them.
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
  /// Whether evaluations write and check stories.
  var writesStories: Bool {
    Aviary(sources: options.data.train, seed: 0) != nil && options.evaluateStories > 0
      && masking == nil && corruption == nil
  }
}
