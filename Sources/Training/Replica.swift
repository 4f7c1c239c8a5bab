import DataParallel
import Datasets
import Models
import Tensors

/// A worker's copy of the networks, with its batch.
package final class Replica {
  /// The trained network: a language model, alone or with a value head, or a classifier; a token
  /// classifier has the interface of a language model.
  private let network: Any
  /// The frozen copy of the reference model; nil when there is none, or when the trained model
  /// without its adapters is the reference model.
  private let frozenReference: (any LanguageModel)?
  /// The frozen reward model; nil without one.
  package let rewardModel: SequenceClassifier?
  /// The current micro-batch.
  package var batch = Batch()
  /// Seconds that this worker spent on reading batches since the last reset.
  package var secondsData = 0.0

  package init(
    _ network: any NetworkConfiguration, _ parameters: Parameters,
    frozenModels: FrozenModels = FrozenModels()
  ) {
    self.network = network.build(parameters)
    frozenReference = frozenModels.reference.map { $0.model.build(parameters.over($0.parameters)) }
    rewardModel = frozenModels.rewardModel.map { $0.model.build(parameters.over($0.parameters)) }
  }

  /// The trained language model.
  package var model: any LanguageModel {
    guard let model = network as? any LanguageModel else {
      preconditionFailure("a classifier has no language model")
    }
    return model
  }

  /// The reference model, with which the run began: a frozen copy, or under LoRA the trained model
  /// without its adapters.
  package var reference: any LanguageModel { frozenReference ?? BaseModel(of: model) }

  /// The trained language model with its value head; nil without one.
  package var valueHeadModel: ValueHeadModel? { network as? ValueHeadModel }

  /// The trained sequence classifier.
  package var classifier: SequenceClassifier {
    guard let classifier = network as? SequenceClassifier else {
      preconditionFailure("this network is not a sequence classifier")
    }
    return classifier
  }

  /// Reads `microBatch` from `source` into `batch`, and adds the time to `secondsData`.
  package func read(_ microBatch: MicroBatch, from source: any BatchSource, _ workspace: Workspace)
    throws
  {
    var reading = Stopwatch()
    workspace.timeline?.skip()
    try source.fill(&batch, step: microBatch.step, microBatch: microBatch.index)
    secondsData += reading.lap()
    workspace.timeline?.mark("data")
  }
}

/// Models beside the trained one that are not trained, with their weights.
package struct FrozenModels: Sendable {
  /// The reference model of the KL penalty.
  package var reference: (model: any ModelConfiguration, parameters: FrozenParameters)?
  /// The reward model.
  package var rewardModel: (model: SequenceClassifierConfiguration, parameters: FrozenParameters)?

  package init() {}
}
