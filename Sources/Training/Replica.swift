import DataParallel
import Datasets
import Models
import Tensors

/// A worker's network, with the batches it reads into.
public final class Replica {
  /// The network.
  public let model: any LanguageModel
  /// The micro-batch at work.
  var batch: Batch
  /// Seconds this worker spent on reading batches since somebody last asked.
  var secondsData = 0.0

  init(model: any LanguageModel, rows: Int, context: Int) {
    self.model = model
    batch = Batch(sequences: rows, context: context)
  }

  /// Reads `microBatch` from `source`, and notes the time that took.
  func read(_ microBatch: MicroBatch, from source: any BatchSource, _ workspace: Workspace) throws {
    var reading = Stopwatch()
    workspace.timeline?.skip()
    try source.fill(&batch, step: microBatch.step, microBatch: microBatch.index)
    secondsData += reading.lap()
    workspace.timeline?.mark("data")
  }
}
