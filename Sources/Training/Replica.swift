import DataParallel
import Datasets
import Models
import Tensors

/// A worker's networks, with the batches it reads into.
public final class Replica {
  /// What is trained.
  private let network: TrainedNetwork.Built
  /// A language model that is only read, such as what the trained one started from; nil where the
  /// trained one without its adapters is the same, or where there is none.
  let reference: (any LanguageModel)?
  /// A reward model that is only read.
  let rewards: SequenceScorer?
  /// The micro-batch at work.
  var batch: Batch
  /// Seconds this worker spent on reading batches since somebody last asked.
  var secondsData = 0.0

  init(
    _ network: TrainedNetwork, _ parameters: Parameters, rows: Int, context: Int,
    companions: Companions = Companions()
  ) {
    self.network = network.build(parameters)
    reference = companions.reference.map { $0.model.build(parameters.over($0.parameters)) }
    rewards = companions.rewards.map { $0.model.build(parameters.over($0.parameters)) }
    batch = Batch(sequences: rows, context: context)
  }

  /// The language model that is trained.
  public var model: any LanguageModel {
    switch network {
    case .language(let model): model
    case .valued(let model): model
    case .scorer: preconditionFailure("a scorer has no language model")
    }
  }

  /// The language model that the run began with: a copy that is only read, or under LoRA the trained
  /// one without its low-rank maps.
  var start: any LanguageModel { reference ?? BaseModel(of: model) }

  /// The language model that is trained, with its value head.
  var valued: ValuedModel {
    guard case .valued(let model) = network else {
      preconditionFailure("this network has no value head")
    }
    return model
  }

  /// The sequence scorer that is trained.
  var scorer: SequenceScorer {
    guard case .scorer(let scorer) = network else {
      preconditionFailure("this network scores no sequences")
    }
    return scorer
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

/// Networks that stand beside the trained one and are only read.
public struct Companions: Sendable {
  /// A network with its weights.
  struct Frozen<Model: Sendable>: Sendable {
    let model: Model
    let parameters: FrozenParameters
  }

  /// A language model to stay close to.
  var reference: Frozen<any ModelConfiguration>?
  /// A reward model.
  var rewards: Frozen<SequenceScorerConfiguration>?

  /// None.
  public init() {}
}
