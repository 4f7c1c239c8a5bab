import Configuration
import Monitoring
import Optimizers
import Tensors

extension TrainingPlan {
  /// Refuses sizes that exceed this host's memory with any number of ranks: weights with one
  /// gradient, or the logits of one micro-batch.
  func requireMemory(_ reader: ConfigurationReader) throws(ConfigurationError) {
    let available = ProcessMemory.available()
    let float = MemoryLayout<Float>.stride
    let sizes = (2 * counts.trained + counts.frozen) * float
    let logits = rows * context * model.vocabulary * float
    let sizeKey = weights == .random ? "model.width" : "model.from"
    for (key, name, bytes) in [
      (sizeKey, "weights and gradient", sizes),
      ("batch.sequences", "the logits of a micro-batch", logits),
    ] where bytes > available {
      throw reader.rejection(
        of: key,
        because: "\(name) need \(bytes >> 20) MiB and this process may use "
          + "\(available >> 20) MiB of memory; choose smaller sizes")
    }
  }

  /// Returns the largest number of workers of a rank whose gradients fit into `bytes` beside the
  /// weights and the optimizer's state, with a fifth left for activations and the rest; at least 1.
  func workersThatFit(into bytes: Int, ranks: Int) -> Int {
    let own = (leaves + ranks - 1) / ranks
    return (1...own).last { self.bytes(ranks: ranks, workers: $0) <= bytes / 5 * 4 } ?? 1
  }

  /// Refuses a model whose weights, one gradient and optimizer state do not fit into the `available`
  /// bytes of a rank.
  func requireMemory(_ available: Int, ranks: Int) throws(StartRefusal) {
    let needed = bytes(ranks: ranks, workers: 1)
    if needed > available { throw .noMemory(needed: needed, available: available) }
  }

  /// Estimates the bytes that a rank needs for weights, gradients, the optimizer's state and the
  /// logits of its workers, without other activations.
  package func memory(ranks: Int, threads: Int) -> Int {
    let workers = min(threads, (leaves + ranks - 1) / ranks)
    let logits = 4 * workers * rows * context * model.vocabulary
    return bytes(ranks: ranks, workers: workers) + logits
  }

  /// The bytes of weights, the workers' gradients and the optimizer's state of a rank.
  private func bytes(ranks: Int, workers: Int) -> Int {
    let gradients = 4 * workers * levels(of: (leaves + ranks - 1) / ranks, workers: workers)
    let moments = MemoryLayout<Float>.stride * optimizer.stateNames.count / ranks
    return (precision.weightBytes + moments + gradients) * counts.trained
      + precision.weightBytes * counts.frozen
  }

  /// Returns the bytes that a single rank needs for weights, one gradient, and the two moments of
  /// AdamW; `frozen` parameters have only weights.
  package static func memory(trained: Int, frozen: Int, _ precision: Precision) -> Int {
    let numbers = 1 + AdamW(betas: (0, 0), weightDecay: 0).stateNames.count
    return (precision.weightBytes + numbers * MemoryLayout<Float>.stride) * trained
      + precision.weightBytes * frozen
  }

  /// The number of gradients that a worker holds: one for every level of the tree over its leaves.
  private func levels(of leaves: Int, workers: Int) -> Int {
    let run = (leaves + workers - 1) / workers
    return Int.bitWidth - run.leadingZeroBitCount
  }
}
