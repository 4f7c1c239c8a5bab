import Datasets
import Models
import Objectives
import Training

/// Preference optimization: the policy prefers good answers, and avoids bad ones, more than the
/// reference model does.
struct PreferenceTask<Examples: BatchableSet & CountedExamples, AnswerLoss: PreferenceLoss>:
  SupervisedTask
{
  let network: any NetworkConfiguration
  let examples: SplitExamples<Examples>
  let answerLoss: AnswerLoss
  /// True to end the run when the policy has collapsed.
  let endsOnCollapse: Bool

  func objective(_ plan: TrainingPlan) -> any Objective {
    PreferenceObjective(
      source: examples.loader(plan), answerLoss: answerLoss, endsOnCollapse: endsOnCollapse)
  }

  func evaluator(of examples: Examples, _ plan: TrainingPlan) -> MeasuredEvaluator<Examples> {
    MeasuredEvaluator(examples, sequences: plan.rows) { [answerLoss] in
      answerLoss(of: $0, on: $1, nil)
    }
  }
}

extension SplitExamples<PairSet> {
  /// Preference pairs of a chosen and a rejected answer; with a margin only if `usesMargins`.
  init(
    _ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions,
    usesMargins: Bool
  ) throws {
    try self.init(records, chat: model.chat) { records, _ in
      try PairSet(
        records, chat: model.chat, options: options, usesMargins: usesMargins)
    }
  }
}

extension SplitExamples<UnpairedPreferenceSet> {
  /// Answers that are called good or bad.
  init(_ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions) throws {
    try self.init(records, chat: model.chat) { records, _ in
      try UnpairedPreferenceSet(records, chat: model.chat, options: options)
    }
  }
}

/// The objective of preference optimization.
struct PreferenceObjective<AnswerLoss: PreferenceLoss>: BatchObjective {
  let source: any BatchSource
  let answerLoss: AnswerLoss
  /// True to end the run when the policy has collapsed.
  let endsOnCollapse: Bool

  let hasMeasures = true

  func tokens(of batch: Batch) -> Int { answerLoss.tokens(of: batch) }

  func loss(of batch: Batch, on replica: Replica, _ microBatch: MicroBatch) -> Loss {
    answerLoss(of: batch, on: replica, microBatch)
  }

  func divergence(in measures: Measures, vocabulary: Int) -> String? {
    endsOnCollapse ? measures.collapse(vocabulary: vocabulary) : nil
  }
}
