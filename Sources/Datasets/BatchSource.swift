/// Where a phase of training gets its batches: a pure function of (step, micro-batch).
///
/// No rank and no world size appears, and nothing is kept between calls: whoever asks for
/// micro-batch m of step s gets the same batch, on any number of machines, after any number of
/// restarts.
public protocol BatchSource: Sendable {
  /// Fills `batch`, which has the source's shape, with micro-batch `microBatch` of step `step`, both
  /// from 0.
  func fill(_ batch: inout Batch, step: Int, microBatch: Int) throws

  /// How many times the data was seen after `steps` steps.
  func epochsSeen(_ steps: Int) -> Double
}

extension TrainingLoader: BatchSource {}
