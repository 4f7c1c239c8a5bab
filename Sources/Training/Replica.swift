import Datasets
import Models

/// A worker's network, with the batches it reads into.
public final class Replica {
  /// The network.
  public let model: any LanguageModel
  /// The micro-batch at work.
  var batch: Batch
  /// Seconds this worker spent on reading batches since somebody last asked.
  var secondsData = 0.0

  init(model: any LanguageModel, sequences: Int, context: Int) {
    self.model = model
    batch = Batch(sequences: sequences, context: context)
  }
}
