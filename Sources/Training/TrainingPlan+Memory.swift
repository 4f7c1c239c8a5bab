import Configuration
import Monitoring
import Layers
import MPI
import Models
import Optimizers
import Tensors

extension TrainingPlan {
  /// Refuses by its key a plan that this host's memory cannot hold with any number of ranks.
  func requireMemory(_ reader: ConfigurationReader) throws(ConfigurationError) {
    // Each of so many ranks has one gradient and hardly any optimizer state.
    let (available, ranks) = (ProcessMemory.available(), 1 << 20)
    do {
      try requireMemory(available, ranks: ranks)
    } catch {
      let isOfBatch = memoryNeed(ranks: ranks, workers: 1).largest == .microBatch
      throw reader.rejection(
        of: isOfBatch ? "batch.sequences" : weights == .random ? "model.width" : "model.from",
        because: error.description)
    }
  }

  /// Refuses a plan that needs more than the `available` bytes of each of `ranks` ranks, with one
  /// worker each.
  package func requireMemory(_ available: Int, ranks: Int) throws(StartRefusal) {
    let need = memoryNeed(ranks: ranks, workers: 1)
    if need.total > available { throw .noMemory(need, available: available) }
  }

  /// Refuses a plan that needs more memory than each rank of this host may use, before it is
  /// allocated.
  ///
  /// Collective.
  ///
  /// - Returns: The bytes that this rank may use.
  @discardableResult
  func requireMemory(on world: Communicator) throws -> Int {
    let available = ProcessMemory.available(ranks: try world.splitByHost().size)
    try world.together { try requireMemory(available, ranks: world.size) }
    return available
  }

  /// Returns the largest number of workers of a rank whose gradients fit into `bytes` beside the
  /// weights and the optimizer's state, with a fifth left for activations and the rest; at least 1.
  package func workersThatFit(into bytes: Int, ranks: Int) -> Int {
    return (1...leavesPerRank(ranks)).last {
      self.bytes(ranks: ranks, workers: $0) <= bytes / 5 * 4
    } ?? 1
  }

  /// Estimates the bytes that a rank needs with full micro-batches on all its workers.
  package func memory(ranks: Int, threads: Int) -> Int {
    let workers = min(threads, leavesPerRank(ranks))
    return bytes(ranks: ranks, workers: workers) + workers * microBatchBytes
  }

  /// Returns the bytes that a rank with `workers` workers needs at least; micro-batches count where
  /// their rows are always full.
  package func memoryNeed(ranks: Int, workers: Int) -> MemoryNeed {
    let audited = audit.every > 0 ? 1 : 0
    let held = workers * levels(of: leavesPerRank(ranks), workers: workers) + audited
    return MemoryNeed(
      bytes: [
        .weights: precision.weightBytes * (counts.trained + counts.frozen),
        .gradients: MemoryLayout<Float>.stride * held * counts.trained,
        .optimizer:
          MemoryLayout<Float>.stride
          * (stateNames.count * counts.trained / ranks + wholeBuffers(ranks) * counts.trained),
        .microBatch: hasFullRows ? workers * microBatchBytes : 0,
      ])
  }

  /// The most leaves that a rank computes for one gradient.
  private func leavesPerRank(_ ranks: Int) -> Int {
    let (leaves, ranks) = gradientDivision(ranks: ranks)
    return (leaves + ranks - 1) / ranks
  }

  /// The buffers of all weights that DiLoCo needs on each rank: the global weights, and the sums of the
  /// differences of the rank's workers but the last.
  private func wholeBuffers(_ ranks: Int) -> Int {
    groups(ranks: ranks).map { 1 + $0.workersPerGroup.trailingZeroBitCount } ?? 0
  }

  /// The bytes of weights, the workers' gradients and the optimizer's state of a rank.
  private func bytes(ranks: Int, workers: Int) -> Int {
    let bytes = memoryNeed(ranks: ranks, workers: workers).bytes
    return bytes.reduce(0) { $0 + ($1.key == .microBatch ? 0 : $1.value) }
  }

  /// The bytes, at least, that a micro-batch of full rows needs beside a gradient, in which a part
  /// of its activations lies (see `GradientArena`).
  ///
  /// A layer keeps its input, and without recomputation about the results of its products, of which
  /// three quarters are counted: for products of `width` inputs these are as many per position as
  /// their weights ÷ `width`. LoRA needs fewer of them, so only the layers' inputs are counted.
  package var microBatchBytes: Int {
    let positions = Double(rows) * Double(context + sourceContext)
    let width = Double(model.width)
    let products = network.layout.entries.reduce(0.0) {
      $1.shape.count == 2 && !$1.isEmbedding && !$1.shape.contains(model.vocabulary)
        ? $0 + Double($1.range.count) / width : $0
    }
    let isWhole = recomputation == .none && lora == nil
    let kept = isWhole ? 0.75 * products : Double(model.layers) * width
    let activations = positions * kept * Double(precision.operandBytes)
    let beside = max(0, activations - Double(MemoryLayout<Float>.stride * counts.trained))
    let logits = Double(MemoryLayout<Float>.stride * rows * context) * Double(model.vocabulary)
    return Int(min(logits + beside, 1e18))
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
