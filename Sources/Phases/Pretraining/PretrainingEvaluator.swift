import DataParallel
import Datasets
import Generation
import Monitoring
import Tokenizers
import Training

/// Evaluates the model on the validation set and on that of the replayed corpus, and samples texts.
struct PretrainingEvaluator: Evaluator {
  private let validation: Set
  /// The validation set of the replayed corpus; nil without one.
  private let replay: Set?
  private let samples: Int
  private let beginning: TokenID
  /// True when training continues from a model, which is a baseline.
  let evaluatesBeforeTraining: Bool

  /// A validation set with the bytes of text that its targets encode, where all tokens are targets.
  private struct Set {
    let evaluation: TextEvaluation
    let bytes: Double?

    init(_ phase: Pretraining, _ tokens: TokenStream) throws {
      evaluation = try TextEvaluation(
        phase.task, tokens, context: phase.modelContext, sequences: phase.plan.rows,
        tokenLimit: phase.options.evaluateTokens)
      bytes = try evaluation.bytes(of: tokens, lengths: phase.plan.tokenizer.bytesPerToken())
    }
  }

  init(_ phase: Pretraining, tokens: TokenStream, replay: TokenStream?) throws {
    validation = try Set(phase, tokens)
    self.replay = try replay.map { try Set(phase, $0) }
    samples = phase.options.evaluateSamples
    beginning = phase.beginning
    evaluatesBeforeTraining = phase.options.start != nil
  }

  /// Computes the losses, and samples texts.
  ///
  /// Collective.
  func evaluate(_ context: TrainingContext) throws -> EvaluationResult {
    let total = try validation.evaluation.measure(context.replicas)
    var result = EvaluationResult(
      loss: total.mean, tokens: Int(total.count),
      bitsPerByte: validation.bytes.map { bitsPerByte(total.sum, bytes: $0) })
    if let replay {
      let total = try replay.evaluation.measure(context.replicas)
      result.figures.append(Figure("replayLoss", total.mean))
      if let bytes = replay.bytes {
        result.figures.append(Figure("replayBitsPerByte", bitsPerByte(total.sum, bytes: bytes)))
      }
    }
    if samples > 0 {
      let texts = try sample(context)
      result.note = texts.map { "sample: \($0)" }.joined(separator: "; ")
    }
    return result
  }

  /// Samples texts from the token that begins them at temperature 1.
  private func sample(_ context: TrainingContext) throws -> [String] {
    let plan = context.plan
    let completions = try context.replicas.completions(units: samples) {
      [beginning, step = context.step] replica, workspace, unit in
      let request = CompletionRequest(
        prompts: [[beginning]],
        maximum: min(64, plan.context - 1),
        ends: [plan.tokenizer.endOfText], vocabulary: plan.tokenizer.vocabularySize,
        seed: plan.seed, step: step, first: unit)
      return Generator(replica.model, configuration: plan.model, in: workspace).completions(request)
    }
    return try completions.map {
      String(decoding: try plan.tokenizer.decode($0.tokens), as: UTF8.self)
    }
  }
}
