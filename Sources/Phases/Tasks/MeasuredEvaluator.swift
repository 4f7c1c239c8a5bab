import DataParallel
import Datasets
import Monitoring
import Objectives
import Training

/// Evaluates a model by the loss and the measures of an objective on held-out examples.
struct MeasuredEvaluator<Examples: BatchableSet>: HeldOutEvaluator {
  private let loader: SetEvaluationLoader<Examples>
  private let loss: @Sendable (Batch, Replica) -> Loss

  init(
    _ set: Examples, sequences: Int, loss: @escaping @Sendable (Batch, Replica) -> Loss
  ) {
    loader = SetEvaluationLoader(set, sequences: sequences)
    self.loss = loss
  }

  /// Computes the loss and the measures, such as the accuracy and margin of the policy's preferences.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, figures: [Figure]) {
    // One record per number of the measures.
    let (loss, measures) = try replicas.measured(count: loader.batchCount) {
      [loader, loss] replica, _, index in
      loader.fill(&replica.batch, index: index)
      let loss = loss(replica.batch, replica)
      return (Tally(sum: loss.total, count: loss.count), loss.measures.numbers)
    }
    let total = measures.reduce(Measures()) { $0 + Measures(numbers: $1) }
    return (loss, total.figures.map { Figure($0.name, $0.value) })
  }
}
