import Evaluation
import Layers
import Objectives
import Tensors

/// Steps on arbitrary tokens, which cost what those on real ones do.
struct ArbitraryTokens: Objective {
  let network: TrainedNetwork
  /// Positions of a source; 0 where there are none.
  let sourceContext: Int

  func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    // Of masked tokens about one in seven is a target.
    let isMasked = network.model.prediction == .maskedToken
    let targets =
      if case .tagger(let tagger) = network { tagger.labels.count } else {
        network.model.vocabulary
      }
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
    let pass = ForwardPass(
      sequences: batch.sequences, dropout: microBatch.dropout,
      recomputation: microBatch.recomputation, source: batch.source)
    let loss: Loss
    switch network {
    case .scorer(let scorer) where scorer.labels.count > 1:
      loss = Classification.loss(
        replica.scorer(batch.inputs, lengths: [], pass),
        labels: (0..<batch.sequences).map { $0 % scorer.labels.count })
    case .scorer:
      loss = Regression.loss(
        replica.scorer(batch.inputs, lengths: [], pass),
        targets: (0..<batch.sequences).map { Float($0 % 2) })
    case .language, .valued, .tagger:
      loss = Loss(
        TokenLoss.losses(
          replica.model, hidden: replica.model.hidden(batch.inputs, pass), batch, pass),
        count: batch.weight)
    }
    return MicroBatchLoss(loss: loss, positions: batch.positions)
  }

  func epochs(steps: Int) -> Double { 0 }
}
