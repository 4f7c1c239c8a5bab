import Checkpoints
import Configuration
import Models
import Tensors
import Tokenizers

/// The sizes of a run from its keys alone: neither its data nor the model that it goes on from needs
/// to be there, as in a recipe whose earlier stages are still to be run.
public struct PhaseSketch {
  /// What earlier stages will make, by the folder that they make it in.
  public struct Foreseen {
    /// Models.
    public var models: [String: any ModelConfiguration] = [:]
    /// Ids of tokenizers.
    public var vocabularies: [String: Int] = [:]

    /// Nothing.
    public init() {}

    /// The model that will be, or is, in `folder`.
    func model(in folder: String) throws -> any ModelConfiguration {
      try models[folder] ?? ModelFolder(path: folder).configuration
    }
  }

  /// What is settled of the run; its tokenizer stands for the one that the run will have.
  public let plan: TrainingPlan
  /// How answers are sampled, and how much is learned from them; nil where none are.
  let alignment: AlignmentOptions?
  /// Numbers of networks that are only read, beside the trained one.
  private let companions: Int
  /// Numbers that are trained, and those that stay.
  public let parameters: (trained: Int, frozen: Int)
  /// Tokens that the run's evaluations read, where the keys say how many.
  let evaluatedTokens: Int

  /// Settles what the keys of `reader` say.
  ///
  /// - Parameter halvesAreQuick: Whether the CPUs of all ranks are quicker in bf16 than in fp32.
  public init(
    _ kind: PhaseKind, _ reader: inout ConfigurationReader, _ foreseen: Foreseen,
    halvesAreQuick: Bool
  ) throws {
    let network: TrainedNetwork
    var (rows, context, lora): (Int?, Int?, LoRA?) = (nil, nil, nil)
    var sourceContext: Int?
    var (alignment, companions, evaluated): (AlignmentOptions?, Int, Int) = (nil, 0, 0)
    let training: TrainingOptions
    switch kind {
    case .pretrain:
      let options = try PretrainingOptions(&reader)
      training = options.training
      network = .language(
        try options.start.map { try foreseen.model(in: $0.from) }
          ?? PhaseSketch.model(options, foreseen, reader))
      context = options.start?.context
      evaluated = options.evaluateTokens
      if let sizes = options.spanSizes(network.model) {
        (context, sourceContext) = (sizes.target, network.model.context)
      }
    case .finetune:
      let options = try FinetuningOptions(&reader)
      training = options.training
      let model = try foreseen.model(in: options.start.from)
      network = try PhaseSketch.network(options, model)
      (context, lora) = (options.start.context, options.adapters.lora(savingWhole: network.heads))
    case .reward:
      let options = try RewardOptions(&reader)
      training = options.training
      network = .scorer(
        try PhaseSketch.scorer(try foreseen.model(in: options.start.from), labels: ["reward"]))
      (context, lora) = (options.start.context, options.adapters.lora(savingWhole: network.heads))
      rows = 2 * training.sequences
    case .align:
      let options = try AlignmentOptions(&reader)
      training = options.training
      let model = try foreseen.model(in: options.start.from)
      network =
        options.method == .ppo ? .valued(ValuedModelConfiguration(model)) : .language(model)
      (context, lora) = (options.start.context, options.adapters.lora(savingWhole: network.heads))
      rows = options.method == .dpo ? 2 * training.sequences : nil
      alignment = options
      if !options.adapters.keepsStart { companions += model.layout.count }
      if let rewards = options.reward.model {
        companions += try foreseen.model(in: rewards).layout.count
      }
    }
    plan = try TrainingPlan(
      training, reader, tokenizer: ByteTokenizer(), network: network, lora: lora, rows: rows,
      context: context, sourceContext: sourceContext, halvesAreQuick: halvesAreQuick)
    let adapted = try lora.map { try network.configuration.layout($0).counts }
    parameters =
      adapted.map { ($0.trainable, $0.frozen) }
      ?? (network.configuration.layout.parameterCount, 0)
    self.alignment = alignment
    self.companions = companions
    evaluatedTokens = evaluated
  }

  /// About how many bytes a rank needs; activations come on top.
  public func memory(ranks: Int, threads: Int) -> Int {
    plan.memory(ranks: ranks, threads: threads) + plan.precision.weightBytes * companions
  }

  private static func model(
    _ options: PretrainingOptions, _ foreseen: Foreseen, _ reader: ConfigurationReader
  ) throws -> any ModelConfiguration {
    guard let ids = foreseen.vocabularies[options.tokenizer] else {
      let tokenizer: any Tokenizer =
        options.tokenizer == "bytes"
        ? ByteTokenizer() : try TokenizerFile.load(from: options.tokenizer)
      return try options.model.configuration(tokenizer: tokenizer, reader)
    }
    // Which ids there will be says nothing about sizes; how many there will be does.
    var model = options.model
    model.vocabulary = model.vocabulary ?? ids
    return try model.configuration(tokenizer: ByteTokenizer(), reader)
  }

  private static func network(
    _ options: FinetuningOptions, _ model: any ModelConfiguration
  ) throws -> TrainedNetwork {
    switch options.task {
    case .chat: .language(model)
    case .regression: .scorer(try scorer(model, labels: ["value"]))
    // How many classes there are, the texts say; a head is small.
    case .tokens:
      .tagger(try TokenTaggerConfiguration(model, labels: options.classes ?? ["0", "1"]))
    case .classification: .scorer(try scorer(model, labels: options.classes ?? ["0", "1"]))
    }
  }

  private static func scorer(
    _ model: any ModelConfiguration, labels: [String]
  ) throws -> SequenceScorerConfiguration {
    try SequenceScorerConfiguration(
      model, labels: labels, problem: labels.count == 1 ? .regression : .classification, padding: 0)
  }
}
