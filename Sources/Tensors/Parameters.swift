/// Where a network under construction gets its parameters from.
///
/// A network is built twice by the same initializers: once against a layout that records names and
/// shapes, and then, for every worker, against the flat buffer with the values. The path makes
/// names: `parameters["h"][0]["attn"]` names what follows `h.0.attn.…`.
public struct Parameters {
  private let source: any ParameterSource
  private let path: String

  init(_ source: any ParameterSource, path: String = "") {
    self.source = source
    self.path = path
  }

  /// The parameters below `component`.
  public subscript(component: String) -> Parameters {
    Parameters(source, path: path.isEmpty ? component : "\(path).\(component)")
  }

  /// The parameters below the number `index`.
  public subscript(index: Int) -> Parameters { self["\(index)"] }

  /// The parameter `name` here.
  ///
  /// - Parameters:
  ///   - shape: Sizes of its dimensions.
  ///   - initializer: Its first values.
  ///   - decays: Whether weight decay applies.
  public func tensor(_ name: String, _ shape: [Int], _ initializer: Initializer, decays: Bool)
    -> Tensor
  {
    source.parameter(self[name].path, shape, initializer, decays: decays)
  }

  /// The low-rank map beside the linear map here, or nil where it has none; see `LoRA`.
  ///
  /// - Parameters:
  ///   - inputs: Size of the linear map's input.
  ///   - outputs: Size of its result.
  ///   - order: How its weight lies in memory.
  public func lowRank(inputs: Int, outputs: Int, order: WeightOrder) -> LowRankTensors? {
    source.lowRank(path, inputs: inputs, outputs: outputs, order: order)
  }

  /// The parameters of another network on the same worker: one that is read, never trained, such as
  /// a reference or a reward model.
  public func over(_ frozen: FrozenParameters) -> Parameters {
    Parameters(source.over(frozen))
  }
}

/// The two ways to answer for a parameter: record it, or find it.
protocol ParameterSource {
  func parameter(_ name: String, _ shape: [Int], _ initializer: Initializer, decays: Bool) -> Tensor
  func lowRank(_ name: String, inputs: Int, outputs: Int, order: WeightOrder) -> LowRankTensors?
  func over(_ frozen: FrozenParameters) -> any ParameterSource
}

extension ParameterLayout {
  /// The layout of the network that `build` constructs.
  public init<Network>(of build: (Parameters) -> Network) {
    self.init()
    let recorder = LayoutRecorder()
    _ = build(Parameters(recorder))
    self = recorder.layout
  }
}

private final class LayoutRecorder: ParameterSource {
  var layout = ParameterLayout()
  /// Recorded parameters have shapes but no memory of their own.
  private let workspace = Workspace()

  func parameter(_ name: String, _ shape: [Int], _ initializer: Initializer, decays: Bool) -> Tensor
  {
    layout.append(name, shape: shape, initializer: initializer, decays: decays)
    return Tensor(shape: shape, storage: Storage(bytes: 0, in: workspace))
  }

  func lowRank(_ name: String, inputs: Int, outputs: Int, order: WeightOrder) -> LowRankTensors? {
    nil
  }

  func over(_ frozen: FrozenParameters) -> any ParameterSource { NothingRecorded(workspace) }
}

/// Answers while a layout is recorded for what does not belong to it.
struct NothingRecorded: ParameterSource {
  let workspace: Workspace

  init(_ workspace: Workspace) {
    self.workspace = workspace
  }

  func parameter(_ name: String, _ shape: [Int], _ initializer: Initializer, decays: Bool) -> Tensor
  {
    Tensor(shape: shape, storage: Storage(bytes: 0, in: workspace))
  }

  func lowRank(_ name: String, inputs: Int, outputs: Int, order: WeightOrder) -> LowRankTensors? {
    nil
  }

  func over(_ frozen: FrozenParameters) -> any ParameterSource { self }
}

/// A flat buffer of parameters or gradients, on huge pages where the system has them.
public final class FlatBuffer: @unchecked Sendable {
  // Sendable: whoever shares it decides who writes when; the type itself keeps only the address.

  /// The elements.
  public let elements: UnsafeMutableBufferPointer<Float>
  private let block: UnsafeMutableRawPointer
  private let bytes: Int
  private let pool = MemoryPool()

  /// `count` zeros.
  public init(count: Int) {
    bytes = count * MemoryLayout<Float>.stride
    block = pool.take(bytes: bytes)
    elements = UnsafeMutableBufferPointer(
      start: block.bindMemory(to: Float.self, capacity: count), count: count)
    elements.update(repeating: 0)
  }

  deinit {
    pool.give(back: block, bytes: bytes)
  }
}

extension Workspace {
  /// Builds a network on this worker, its parameters being views of `values`.
  ///
  /// - Parameters:
  ///   - layout: The layout that the same `build` gave.
  ///   - values: The flat buffer, shared by all workers of a process; read-only while they compute.
  ///   - halves: The same values in bf16, kept so by whoever changes them; wanted with
  ///     `precision` bf16, where each product would otherwise round its weights anew.
  ///   - frozen: The parameters that are not in `layout`, when it is the trainable one of two.
  public func bind<Network>(
    _ layout: ParameterLayout, values: FlatBuffer, halves: HalfBuffer? = nil,
    frozen: FrozenParameters? = nil, _ build: (Parameters) -> Network
  ) -> Network {
    let own = BoundParameters(layout, values, halves, in: self)
    parameters = layout.entries.enumerated().map {
      Variable(parameter: ParameterSlot(index: $0.offset, range: $0.element.range))
    }
    let rest = frozen.map { BoundParameters($0.layout, $0.values, $0.halves, in: self) }
    return build(Parameters(Binding(own: own, frozen: rest)))
  }

  /// Starts a leaf of the gradient sum: contributions go to `buffer`, the first of each parameter
  /// overwriting what is there.
  ///
  /// Until then what is recorded may lie there.
  public func beginGradients(into buffer: FlatBuffer) {
    for variable in parameters { loan?.reclaim(variable) }
    loan = GradientLoan(of: buffer)
    gradients = buffer.elements.baseAddress
    for variable in parameters {
      variable.isWritten = false
      variable.isComplete = false
    }
  }
}

/// Parameters of a worker: those that its gradient buffer has room for, and those that it only reads.
private struct Binding: ParameterSource {
  /// Nil for a network that is only read.
  let own: BoundParameters?
  let frozen: BoundParameters?

  func parameter(_ name: String, _ shape: [Int], _ initializer: Initializer, decays: Bool) -> Tensor
  {
    if let own, let index = own.indices[name] {
      return own.tensor(index, shape, own.workspace.parameters[index])
    }
    guard let frozen, let index = frozen.indices[name] else {
      preconditionFailure("no layout has the parameter \(name)")
    }
    return frozen.tensor(index, shape, nil)
  }

  func lowRank(_ name: String, inputs: Int, outputs: Int, order: WeightOrder) -> LowRankTensors? {
    guard let own, let lora = own.layout.lowRank?.lora,
      let index = own.indices[LowRankMaps.downName(name)]
    else { return nil }
    let variables = own.workspace.parameters
    return LowRankTensors(
      down: own.tensor(index, [lora.rank, inputs], variables[index]),
      up: own.tensor(index + 1, [outputs, lora.rank], variables[index + 1]),
      scale: lora.scale, dropout: lora.dropout, index: index)
  }

  func over(_ frozen: FrozenParameters) -> any ParameterSource {
    guard let workspace = (own ?? self.frozen)?.workspace else { return self }
    return Binding(
      own: nil,
      frozen: BoundParameters(frozen.layout, frozen.values, frozen.halves, in: workspace))
  }
}

/// The parameters of one layout in memory.
private struct BoundParameters {
  let layout: ParameterLayout
  let indices: [String: Int]
  let workspace: Workspace
  private let values: FlatBuffer
  private let halves: HalfBuffer?

  init(
    _ layout: ParameterLayout, _ values: FlatBuffer, _ halves: HalfBuffer?, in workspace: Workspace
  ) {
    precondition(
      values.elements.count == layout.count,
      "a buffer of \(values.elements.count) for a layout of \(layout.count)")
    precondition(
      halves.map { $0.elements.count == layout.count } ?? true, "a bf16 buffer of another size")
    self.layout = layout
    self.values = values
    self.halves = halves
    self.workspace = workspace
    indices = Dictionary(
      uniqueKeysWithValues: layout.entries.enumerated().map { ($0.element.name, $0.offset) })
  }

  func tensor(_ index: Int, _ shape: [Int], _ variable: Variable?) -> Tensor {
    let entry = layout.entries[index]
    guard let base = values.elements.baseAddress else {
      preconditionFailure("no memory for the parameter \(entry.name)")
    }
    precondition(entry.shape == shape, "\(entry.name): layout \(entry.shape), network \(shape)")
    let half = halves.flatMap { halves in
      halves.elements.baseAddress.map {
        Storage(
          borrowing: $0 + entry.range.lowerBound,
          bytes: entry.range.count * ElementType.bfloat16.stride, from: halves, in: workspace)
      }
    }
    let storage = Storage(
      borrowing: base + entry.range.lowerBound,
      bytes: entry.range.count * MemoryLayout<Float>.stride, from: values, half: half,
      in: workspace)
    return Tensor(shape: shape, storage: storage, variable: variable)
  }
}
