import DataParallel
import Datasets
import Models
import Monitoring
import Objectives
import Tensors
import Training

/// Kahneman–Tversky optimization: the policy prefers good answers, and avoids bad ones, more than the
/// reference does.
struct JudgementTask: SupervisedTask {
  let network: any NetworkConfiguration
  let examples: SplitExamples<JudgedSet>
  private let loss: KahnemanTversky
  private let endsOnCollapse: Bool

  init(
    _ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions,
    loss: JudgementOptions, endsOnCollapse: Bool
  ) throws {
    self.endsOnCollapse = endsOnCollapse
    examples = try SplitExamples(records, chat: model.chat) { records, _ in
      try JudgedSet(records, chat: model.chat, options: options)
    }
    self.loss = KahnemanTversky(
      beta: loss.beta, desirableWeight: loss.desirableWeight,
      undesirableWeight: loss.undesirableWeight)
    network = model.folder.configuration
  }

  func objective(_ plan: TrainingPlan) -> any Objective {
    JudgementObjective(
      source: examples.loader(plan), answerLoss: loss, endsOnCollapse: endsOnCollapse)
  }

  func evaluator(of examples: JudgedSet, _ plan: TrainingPlan) -> MeasuredEvaluator<JudgedSet> {
    MeasuredEvaluator(examples, sequences: plan.rows) { [loss] in loss(of: $0, on: $1) }
  }
}

/// The objective of KTO.
struct JudgementObjective: BatchObjective {
  let source: any BatchSource
  let answerLoss: KahnemanTversky
  /// True to end the run when the policy has collapsed.
  let endsOnCollapse: Bool

  let hasMeasures = true

  /// Returns the number of tokens of the answers, without the mismatched ones, of which only the KL
  /// is estimated.
  func tokens(of batch: Batch) -> Int {
    batch.examples.prefix(batch.labels.count).reduce(0) { $0 + $1.count }
  }

  func loss(of batch: Batch, on replica: Replica, _ microBatch: MicroBatch) -> Loss {
    answerLoss(of: batch, on: replica, microBatch)
  }

  func divergence(in measures: Measures, vocabulary: Int) -> String? {
    endsOnCollapse ? measures.collapse(vocabulary: vocabulary) : nil
  }
}

extension KahnemanTversky {
  /// Returns the loss of a batch of answers and mismatched ones; see `JudgedSet`.
  ///
  /// The KL is estimated over the micro-batch, so that it does not depend on the number of workers.
  func callAsFunction(
    of batch: Batch, on replica: Replica, _ microBatch: MicroBatch? = nil
  ) -> Loss {
    let count = batch.labels.count
    let (own, mismatched) = (batch.part(0..<count), batch.part(count..<2 * count))
    let policy = replica.model.answerLogProbabilities(own, own.pass(microBatch))
    let divergence = policy.workspace.withoutRecording {
      KahnemanTversky.divergence(
        policy: replica.model.answerLogProbabilities(mismatched, mismatched.pass()).values,
        reference: replica.reference.answerLogProbabilities(mismatched, mismatched.pass()).values)
    }
    let reference = replica.reference.answerLogProbabilities(own, own.pass())
    return self(
      policy: policy, reference: reference.values, lengths: own.answerLengths,
      isDesirable: batch.labels.map { $0 == 1 }, divergence: divergence)
  }
}
