import Models
import Objectives
import Tensors
import Training

/// An objective on arbitrary tokens, to time steps: they cost as much as on real tokens.
struct ArbitraryTokens: Objective {
  let network: any NetworkConfiguration
  /// Rows of a micro-batch.
  let rows: Int
  /// Positions of a row.
  let context: Int
  /// Positions of an encoder input; 0 without an encoder.
  let sourceContext: Int

  /// The tokens of a micro-batch of `plan` with rows of `sizes`.
  init(_ plan: TrainingPlan, _ sizes: RowSizes) {
    (network, rows) = (plan.network, plan.rows)
    (context, sourceContext) = (sizes.context, sizes.sourceContext)
  }

  func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    // In masked language modelling about one token in seven is a target.
    let isMasked = network.model.prediction == .masked
    let targets =
      (network as? TokenClassifierConfiguration)?.labels.count ?? network.model.vocabulary
    replica.batch.begin(sequences: rows, context: context)
    for place in replica.batch.inputs.indices {
      replica.batch.inputs[place] = Int32(place * 40_503 % network.model.vocabulary)
      replica.batch.targets[place] = Int32(place * 25_173 % targets)
      replica.batch.weights[place] = isMasked && place % 7 != 0 ? 0 : 1
    }
    if sourceContext > 0 {
      replica.batch.sources = (0..<replica.batch.sequences * sourceContext).map {
        Int32($0 * 40_503 % network.model.vocabulary)
      }
      replica.batch.sourceLengths = [Int32](
        repeating: Int32(sourceContext), count: replica.batch.sequences)
    }
    let batch = replica.batch
    let pass = batch.pass(microBatch)
    let loss: Loss
    if let classifier = network as? SequenceClassifierConfiguration {
      let scores = replica.classifier(
        batch.inputs, examples: (0..<rows).map { $0 * context..<($0 + 1) * context }, pass)
      loss =
        classifier.labels.count > 1
        ? Classification.loss(
          scores, labels: (0..<batch.sequences).map { $0 % classifier.labels.count })
        : Regression.loss(scores, targets: (0..<batch.sequences).map { Float($0 % 2) })
    } else {
      loss = Loss(replica.model.tokenLosses(batch, pass), count: batch.weight)
    }
    return MicroBatchLoss(loss: loss, tokens: batch.tokens)
  }

  func epochs(steps: Int) -> Double { 0 }
}
