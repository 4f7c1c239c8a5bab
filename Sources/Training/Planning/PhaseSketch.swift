import Checkpoints
import Configuration
import Models
import Tensors
import Tokenizers

/// The sizes of a run from its keys alone.
///
/// Its data and initial model need not exist yet, as in a recipe whose earlier stages have not been
/// run.
package struct PhaseSketch {
  /// The models and tokenizers that earlier stages will make, by their folders.
  package struct PlannedArtifacts {
    package var models: [String: any ModelConfiguration] = [:]
    /// The vocabulary sizes of the tokenizers.
    package var vocabularies: [String: Int] = [:]

    package init() {}

    /// Returns the model that will be, or is, in `folder`.
    func model(in folder: String) throws -> any ModelConfiguration {
      try models[folder] ?? ModelFolder(path: folder).configuration
    }
  }

  /// The plan of the run, with a placeholder for its tokenizer.
  package let plan: TrainingPlan
  /// The keys of an alignment run; nil for other phases.
  let alignment: AlignmentOptions?
  /// The number of parameters of frozen models beside the trained one.
  private let frozenModelParameters: Int
  /// The numbers of trained and of frozen parameters of the network.
  package let parameters: (trained: Int, frozen: Int)
  /// The number of tokens per evaluation, for pretraining; 0 for other phases.
  let evaluatedTokens: Int

  /// Reads the keys of `reader`.
  ///
  /// - Parameter bf16IsFaster: True when the CPUs of all ranks compute faster in bf16 than in fp32.
  package init(
    _ kind: PhaseKind, _ reader: inout ConfigurationReader, _ artifacts: PlannedArtifacts,
    bf16IsFaster: Bool
  ) throws {
    let network: TrainedNetwork
    var (rows, context, lora): (Int?, Int?, LoRA?) = (nil, nil, nil)
    var sourceContext: Int?
    var (alignment, frozenModelParameters, evaluated): (AlignmentOptions?, Int, Int) = (nil, 0, 0)
    let training: TrainingOptions
    switch kind {
    case .pretrain:
      let options = try PretrainingOptions(&reader)
      training = options.training
      network = .language(
        try options.start.map { try artifacts.model(in: $0.from) }
          ?? PhaseSketch.model(options, artifacts, reader))
      context = options.start?.context
      evaluated = options.evaluateTokens
      if let sizes = options.spanSizes(network.model) {
        (context, sourceContext) = (sizes.target, network.model.context)
      }
    case .finetune:
      let options = try FinetuningOptions(&reader)
      training = options.training
      let model = try artifacts.model(in: options.start.from)
      network = try PhaseSketch.network(options, model)
      (context, lora) = (options.start.context, options.adapters.lora(savingWhole: network.heads))
    case .reward:
      let options = try RewardOptions(&reader)
      training = options.training
      network = .classifier(
        try PhaseSketch.classifier(
          try artifacts.model(in: options.start.from), labels: ["reward"]))
      (context, lora) = (options.start.context, options.adapters.lora(savingWhole: network.heads))
      rows = 2 * training.sequences
    case .align:
      let options = try AlignmentOptions(&reader)
      training = options.training
      let model = try artifacts.model(in: options.start.from)
      network =
        options.method == .ppo
        ? .withValueHead(ValueHeadModelConfiguration(model)) : .language(model)
      (context, lora) = (options.start.context, options.adapters.lora(savingWhole: network.heads))
      rows = options.method == .dpo ? 2 * training.sequences : nil
      alignment = options
      if !options.adapters.keepsInitialWeights { frozenModelParameters += model.layout.count }
      if let rewards = options.reward.model {
        frozenModelParameters += try artifacts.model(in: rewards).layout.count
      }
    }
    plan = try TrainingPlan(
      training, reader, tokenizer: ByteTokenizer(), network: network, lora: lora, rows: rows,
      context: context, sourceContext: sourceContext, bf16IsFaster: bf16IsFaster)
    let adapted = try lora.map { try network.configuration.layout($0).counts }
    parameters =
      adapted.map { ($0.trainable, $0.frozen) }
      ?? (network.configuration.layout.parameterCount, 0)
    self.alignment = alignment
    self.frozenModelParameters = frozenModelParameters
    evaluatedTokens = evaluated
  }

  /// Estimates the bytes that a rank needs, without activations.
  package func memory(ranks: Int, threads: Int) -> Int {
    plan.memory(ranks: ranks, threads: threads) + plan.precision.weightBytes * frozenModelParameters
  }

  private static func model(
    _ options: PretrainingOptions, _ artifacts: PlannedArtifacts, _ reader: ConfigurationReader
  ) throws -> any ModelConfiguration {
    guard let ids = artifacts.vocabularies[options.tokenizer] else {
      let tokenizer: any Tokenizer =
        options.tokenizer == "bytes"
        ? ByteTokenizer() : try TokenizerFile.load(from: options.tokenizer)
      return try options.model.configuration(tokenizer: tokenizer, reader)
    }
    // The sizes depend only on the number of ids.
    var model = options.model
    model.vocabulary = model.vocabulary ?? ids
    return try model.configuration(tokenizer: ByteTokenizer(), reader)
  }

  private static func network(
    _ options: FinetuningOptions, _ model: any ModelConfiguration
  ) throws -> TrainedNetwork {
    switch options.task {
    case .chat: .language(model)
    case .regression: .classifier(try classifier(model, labels: ["value"]))
    // The number of classes may be unknown without the texts, but the head is small.
    case .tokens:
      .tokenClassifier(
        try TokenClassifierConfiguration(model, labels: options.classes ?? ["0", "1"]))
    case .classification: .classifier(try classifier(model, labels: options.classes ?? ["0", "1"]))
    }
  }

  private static func classifier(
    _ model: any ModelConfiguration, labels: [String]
  ) throws -> SequenceClassifierConfiguration {
    try SequenceClassifierConfiguration(
      model, labels: labels, problem: labels.count == 1 ? .regression : .classification, padding: 0)
  }
}
