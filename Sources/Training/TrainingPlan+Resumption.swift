import Checkpoints
import Models
import Tensors

extension TrainingPlan {
  /// Returns the reasons why the run cannot resume from `checkpoint`: other sizes of the model, or
  /// another optimizer.
  func mismatches(with checkpoint: Checkpoint) throws -> [String] {
    let isAdapter = checkpoint.manifest.files.contains {
      $0.name == AdapterConfiguration.weightsName
    }
    guard isAdapter == (lora != nil) else {
      return [
        isAdapter
          ? "it has LoRA adapters, not full weights" : "it has full weights, not LoRA adapters"
      ]
    }
    try adapterBase?.requireSame(in: checkpoint)
    let path = try checkpoint.path(of: "config.json")
    let saved = try ConfigurationFile.readNetwork(path).json
    let wanted = network.json
    let differing = Set(saved.keys).union(wanted.keys).sorted().filter { saved[$0] != wanted[$0] }
    let found = try OptimizerFiles.stateNames(in: checkpoint)
    let missing = Set(stateNames).subtracting(found)
    // The state of fewer workers would be another run's, not a part of this one's.
    let idle = diloco == nil ? [] : found.subtracting(stateNames)
    return differing.map {
      "\($0) is \((saved[$0] ?? .null).text), not \((wanted[$0] ?? .null).text)"
    } + missing.sorted().map { "optimizer state \($0) is missing" }
      + idle.sorted().map { "optimizer state \($0) is not one of this run's" }
  }

  /// Refuses a checkpoint past the last step.
  func requireStepsLeft(after checkpoint: Checkpoint) throws {
    guard checkpoint.step <= steps else {
      throw StartRefusal.stepsDone(
        checkpoint: checkpoint.path, step: checkpoint.step, steps: steps)
    }
  }

  /// Refuses ranges of `guard.skipped` that are not whole iterations of `steps` steps.
  func requireWholeIterations(of steps: Int) throws(StartRefusal) {
    for entry in onSpike.skipped.entries where entry.kind == .range {
      if (entry.first - 1) % steps != 0 || entry.last % steps != 0 {
        throw .partOfIteration(steps: entry.text, iteration: steps)
      }
    }
  }

  /// Refuses early stopping in a run without validation data.
  package func requireValidation(_ exists: Bool) throws(StartRefusal) {
    if patience != nil && !exists { throw .noValidation }
  }

  /// The name of the setting that identifies the initial weights.
  ///
  /// A run that records it refuses to resume from different initial weights.
  package static let initialWeightsKey = "first weights"

  /// Refuses a checkpoint of a run that began with other weights.
  func requireSameInitialWeights(in checkpoint: Checkpoint) throws {
    guard let now = phaseSettings[Self.initialWeightsKey], case .folder(let path) = weights,
      let then = try TrainingState(from: checkpoint).settings[Self.initialWeightsKey], then != now
    else { return }
    throw StartRefusal.otherStart(
      checkpoint: checkpoint.path, from: path, expected: then, found: now)
  }
}
