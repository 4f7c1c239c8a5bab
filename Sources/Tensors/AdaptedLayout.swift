/// The two layouts of a network under LoRA: what stays as it is, and what is trained.
///
/// Optimizer, exchange and checkpoints see the trainable one alone.
public struct AdaptedLayout: Sendable, Hashable {
  /// The weights that no gradient flows to, shared by all workers of a process.
  public let frozen: ParameterLayout
  /// The low-rank maps, and the modules that are trained whole.
  public let trainable: ParameterLayout

  /// The layouts of the network that `build` constructs.
  ///
  /// - Throws: When a pattern of `lora` stands for nothing.
  public init<Network>(of build: (Parameters) -> Network, lora: LoRA) throws(LoRAError) {
    let targets = try lora.targets.map { text throws(LoRAError) in try ModulePattern(text) }
    let wholes = try lora.modulesToSave.map { text throws(LoRAError) in try ModulePattern(text) }
    let recorder = AdaptedRecorder(lora: lora, targets: targets, wholes: wholes)
    _ = build(Parameters(recorder))
    for (text, pattern) in zip(lora.targets, targets)
    where !recorder.linears.contains(where: pattern.matches) {
      throw .noTarget(text, known: AdaptedLayout.ends(of: recorder.linears))
    }
    for (text, pattern) in zip(lora.modulesToSave, wholes)
    where !recorder.modules.contains(where: pattern.covers) {
      throw .noTarget(text, known: AdaptedLayout.ends(of: recorder.modules))
    }
    frozen = recorder.frozen
    trainable = recorder.trainable
  }

  /// The last components of `names`, each once, in order.
  private static func ends(of names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.compactMap { $0.split(separator: ".").last.map(String.init) }
      .filter { seen.insert($0).inserted }
  }

  /// How many numbers are trained, and how many stay.
  public var counts: (trainable: Int, frozen: Int) {
    (trainable.parameterCount, frozen.parameterCount)
  }
}

/// The low-rank maps of a trainable layout.
public struct LowRankMaps: Sendable, Hashable {
  /// One map beside a linear one.
  public struct Map: Sendable, Hashable {
    /// Name of the linear map: its weight is `NAME.weight`, the maps `NAME.lora_A.weight` and
    /// `NAME.lora_B.weight`.
    public let name: String
    /// How the linear map's weight lies in memory.
    public let order: WeightOrder
  }

  /// Rank, scale and patterns.
  public let lora: LoRA
  /// The maps in the order of the layout.
  public internal(set) var maps: [Map] = []
}

/// Records the parameters of a network under LoRA.
private final class AdaptedRecorder: ParameterSource {
  private let lora: LoRA
  private let targets: [ModulePattern]
  private let wholes: [ModulePattern]
  var frozen = ParameterLayout()
  var trainable = ParameterLayout()
  /// Names of the linear maps that may be adapted.
  var linears: [String] = []
  /// Names of all modules that have parameters.
  var modules: [String] = []
  private let workspace = Workspace()

  init(lora: LoRA, targets: [ModulePattern], wholes: [ModulePattern]) {
    self.lora = lora
    self.targets = targets
    self.wholes = wholes
    trainable.lowRank = LowRankMaps(lora: lora)
  }

  private func isWhole(_ module: String) -> Bool {
    wholes.contains { $0.covers(module) }
  }

  func parameter(_ name: String, _ shape: [Int], _ initializer: Initializer, decays: Bool) -> Tensor
  {
    let module = ParameterLayout.module(of: name)
    if modules.last != module { modules.append(module) }
    if isWhole(module) {
      trainable.append(name, shape: shape, initializer: initializer, decays: decays)
    } else {
      frozen.append(name, shape: shape, initializer: initializer, decays: decays)
    }
    return Tensor(shape: shape, storage: Storage(bytes: 0, in: workspace))
  }

  func lowRank(_ name: String, inputs: Int, outputs: Int, order: WeightOrder) -> LowRankTensors? {
    linears.append(name)
    guard targets.contains(where: { $0.matches(name) }), !isWhole(name) else { return nil }
    return trainable.appendMap(name, inputs: inputs, outputs: outputs, order: order, in: workspace)
  }

  func over(_ frozen: FrozenParameters) -> any ParameterSource { NothingRecorded(workspace) }
}

/// A low-rank map beside a linear one, as a worker has it.
public struct LowRankTensors {
  /// A, [rank, inputs].
  public let down: Tensor
  /// B, [outputs, rank].
  public let up: Tensor
  /// What the map is multiplied by.
  public let scale: Float
  /// Share of the inputs that is dropped.
  public let dropout: Float
  /// Place in the trainable layout, different for every map.
  public let index: Int
}

extension LowRankMaps {
  /// Name of A beside the linear map `name`.
  public static func downName(_ name: String) -> String { "\(name).lora_A.weight" }
  /// Name of B.
  public static func upName(_ name: String) -> String { "\(name).lora_B.weight" }
}

extension ParameterLayout {
  /// The module of the parameter `name`: all but the last component.
  public static func module(of name: String) -> String {
    name.split(separator: ".").dropLast().joined(separator: ".")
  }

  /// Appends the map beside the linear map `name`: A, then B.
  fileprivate mutating func appendMap(
    _ name: String, inputs: Int, outputs: Int, order: WeightOrder, in workspace: Workspace
  ) -> LowRankTensors? {
    guard let lora = lowRank?.lora else { return nil }
    let index = entries.count
    let shapes = [[lora.rank, inputs], [outputs, lora.rank]]
    append(
      LowRankMaps.downName(name), shape: shapes[0],
      initializer: .uniform(bound: 1 / Float(inputs).squareRoot()), decays: true)
    append(
      LowRankMaps.upName(name), shape: shapes[1], initializer: .constant(0), decays: true)
    lowRank?.maps.append(LowRankMaps.Map(name: name, order: order))
    let tensors = shapes.map { Tensor(shape: $0, storage: Storage(bytes: 0, in: workspace)) }
    return LowRankTensors(
      down: tensors[0], up: tensors[1], scale: lora.scale, dropout: lora.dropout, index: index)
  }
}
