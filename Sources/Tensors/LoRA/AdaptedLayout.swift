/// The frozen and the trainable parameter layout of a network under LoRA.
///
/// Optimizer, gradient exchange and checkpoints see only the trainable one.
package struct AdaptedLayout: Sendable, Hashable {
  /// The weights that no gradient flows to, shared by all workers of a process.
  package let frozen: ParameterLayout
  /// The LoRA adapters, and the modules that are trained in full.
  package let trainable: ParameterLayout

  /// Records the layouts of the network that `build` constructs.
  ///
  /// - Throws: `LoRAError` when a pattern of `lora` is invalid or matches no module.
  package init<Network>(of build: (Parameters) -> Network, lora: LoRA) throws(LoRAError) {
    let targets = try lora.targets.map { text throws(LoRAError) in try ModulePattern(text) }
    let modulesToSave = try lora.modulesToSave.map { text throws(LoRAError) in
      try ModulePattern(text)
    }
    let recorder = LayoutRecorder(lora: lora, targets: targets, modulesToSave: modulesToSave)
    _ = build(Parameters(recorder))
    if let failure = recorder.failure { throw failure }
    for (text, pattern) in zip(lora.targets, targets)
    where try !recorder.linears.hasOne(where: pattern.matches) {
      throw .noTarget(text, known: AdaptedLayout.ends(of: recorder.linears))
    }
    for (text, pattern) in zip(lora.modulesToSave, modulesToSave)
    where try !recorder.modules.hasOne(where: pattern.covers) {
      throw .noTarget(text, known: AdaptedLayout.ends(of: recorder.modules))
    }
    if recorder.trainable.lora?.adapters.isEmpty ?? true { throw .noAdapter }
    frozen = recorder.frozen
    trainable = recorder.trainable
  }

  /// Returns the distinct last components of `names`, in order.
  private static func ends(of names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.compactMap { $0.split(separator: ".").last.map(String.init) }
      .filter { seen.insert($0).inserted }
  }

  /// The numbers of trainable and of frozen parameters (elements).
  package var counts: (trainable: Int, frozen: Int) {
    (trainable.parameterCount, frozen.parameterCount)
  }
}

/// The LoRA adapters of a trainable layout.
package struct LoRALayout: Sendable, Hashable {
  /// The adapter of one linear layer.
  package struct Adapter: Sendable, Hashable {
    /// Name of the linear layer: its weight is `NAME.weight`, the adapter's matrices are
    /// `NAME.lora_A.weight` and `NAME.lora_B.weight`.
    package let name: String
    /// The memory order of the linear layer's weight.
    package let order: WeightOrder
  }

  /// The rank, scale, dropout rate and patterns.
  package let configuration: LoRA
  /// The adapters in the order of the layout.
  package internal(set) var adapters: [Adapter] = []
}

/// Records the parameters of a network, under LoRA or all as frozen.
///
/// Recorded parameters have shapes but no memory of their own.
final class LayoutRecorder: ParameterSource {
  private let targets: [ModulePattern]
  private let modulesToSave: [ModulePattern]
  var frozen = ParameterLayout()
  var trainable = ParameterLayout()
  /// Names of the linear layers that can be adapted.
  var linears: [String] = []
  /// Names of all modules that have parameters.
  var modules: [String] = []
  /// The first failure of a pattern; the layouts are then incomplete.
  private(set) var failure: LoRAError?
  private let workspace = Workspace()

  init(
    lora: LoRA? = nil, targets: [ModulePattern] = [], modulesToSave: [ModulePattern] = []
  ) {
    self.targets = targets
    self.modulesToSave = modulesToSave
    trainable.lora = lora.map { LoRALayout(configuration: $0) }
  }

  private func isTrainedInFull(_ module: String) -> Bool {
    isOne(of: modulesToSave) { pattern throws(LoRAError) in try pattern.covers(module) }
  }

  /// Returns true when `matches` is true for one of `patterns`; false after a failure.
  private func isOne(
    of patterns: [ModulePattern], _ matches: (ModulePattern) throws(LoRAError) -> Bool
  ) -> Bool {
    guard failure == nil else { return false }
    do {
      return try patterns.hasOne(where: matches)
    } catch {
      failure = error
      return false
    }
  }

  func parameter(_ name: String, _ shape: [Int], _ initializer: Initializer, decays: Bool) -> Tensor
  {
    let module = ParameterLayout.module(of: name)
    if modules.last != module { modules.append(module) }
    if isTrainedInFull(module) {
      trainable.append(name, shape: shape, initializer: initializer, decays: decays)
    } else {
      frozen.append(name, shape: shape, initializer: initializer, decays: decays)
    }
    return Tensor(shape: shape, storage: Storage(bytes: 0, in: workspace))
  }

  func lora(_ name: String, inputs: Int, outputs: Int, order: WeightOrder) -> LoRATensors? {
    linears.append(name)
    let isTarget = isOne(of: targets) { pattern throws(LoRAError) in try pattern.matches(name) }
    guard isTarget, !isTrainedInFull(name) else { return nil }
    return trainable.appendAdapter(
      name, inputs: inputs, outputs: outputs, order: order, in: workspace)
  }

  func over(_ frozen: FrozenParameters) -> any ParameterSource {
    UnrecordedParameters(workspace: workspace)
  }
}

/// The tensors of one linear layer's LoRA adapter, bound to a worker.
package struct LoRATensors {
  /// A, [rank, inputs].
  package let down: Tensor
  /// B, [outputs, rank].
  package let up: Tensor
  /// Factor of the product B·A.
  package let scale: Float
  /// Dropout rate of the inputs of A.
  package let dropout: Float
  /// Index of A in the trainable layout, unique to the adapter.
  package let index: Int
}

extension LoRALayout {
  /// The parameter name of A in the adapter of the linear layer `name`.
  package static func downName(_ name: String) -> String { "\(name).lora_A.weight" }
  /// The parameter name of B in the adapter of the linear layer `name`.
  package static func upName(_ name: String) -> String { "\(name).lora_B.weight" }
}

extension ParameterLayout {
  /// The module of the parameter `name`: all components but the last.
  package static func module(of name: String) -> String {
    name.split(separator: ".").dropLast().joined(separator: ".")
  }

  /// Appends the adapter of the linear layer `name`: A, then B.
  fileprivate mutating func appendAdapter(
    _ name: String, inputs: Int, outputs: Int, order: WeightOrder, in workspace: Workspace
  ) -> LoRATensors? {
    guard let configuration = lora?.configuration else { return nil }
    let index = entries.count
    let shapes = [[configuration.rank, inputs], [outputs, configuration.rank]]
    append(
      LoRALayout.downName(name), shape: shapes[0],
      initializer: .uniform(bound: 1 / Float(inputs).squareRoot()), decays: true)
    append(
      LoRALayout.upName(name), shape: shapes[1], initializer: .constant(0), decays: true)
    lora?.adapters.append(LoRALayout.Adapter(name: name, order: order))
    let tensors = shapes.map { Tensor(shape: $0, storage: Storage(bytes: 0, in: workspace)) }
    return LoRATensors(
      down: tensors[0], up: tensors[1], scale: configuration.scale,
      dropout: configuration.dropout, index: index)
  }
}
