/// The source of parameters for a network under construction, with a name prefix.
///
/// The same initializers build a network several times: first with a layout that records names and
/// shapes, and then, for every worker, with the flat buffer of values. The path is the prefix of
/// names: parameters of `parameters["h"][0]["attn"]` are named `h.0.attn.…`.
package struct Parameters {
  private let source: any ParameterSource
  /// The prefix of names, which is the path of a module in the network.
  package let path: String

  init(_ source: any ParameterSource, path: String = "") {
    self.source = source
    self.path = path
  }

  /// The parameters whose names begin with `component` below this path.
  package subscript(component: String) -> Parameters {
    Parameters(source, path: path.isEmpty ? component : "\(path).\(component)")
  }

  /// The parameters whose names begin with the number `index` below this path.
  package subscript(index: Int) -> Parameters { self["\(index)"] }

  /// Returns the parameter `name` below this path.
  ///
  /// - Parameters:
  ///   - name: The last component of the name.
  ///   - shape: Sizes of the dimensions.
  ///   - initializer: The initialization of the values.
  ///   - decays: True when weight decay applies.
  package func tensor(_ name: String, _ shape: [Int], _ initializer: Initializer, decays: Bool)
    -> Tensor
  {
    source.parameter(self[name].path, shape, initializer, decays: decays)
  }

  /// Returns the LoRA adapter of the linear layer at this path, or nil when it has none; see
  /// `LoRA`.
  ///
  /// - Parameters:
  ///   - inputs: Input size of the linear layer.
  ///   - outputs: Output size of the linear layer.
  ///   - order: Memory order of the linear layer's weight.
  package func lora(inputs: Int, outputs: Int, order: WeightOrder) -> LoRATensors? {
    source.lora(path, inputs: inputs, outputs: outputs, order: order)
  }

  /// Returns the parameters of a frozen network on the same worker, such as a reference model or a
  /// reward model.
  package func over(_ frozen: FrozenParameters) -> Parameters {
    Parameters(source.over(frozen))
  }
}

/// A provider of parameters: a recorder of their layout, or a lookup in flat buffers.
protocol ParameterSource {
  func parameter(_ name: String, _ shape: [Int], _ initializer: Initializer, decays: Bool) -> Tensor
  func lora(_ name: String, inputs: Int, outputs: Int, order: WeightOrder) -> LoRATensors?
  func over(_ frozen: FrozenParameters) -> any ParameterSource
}

extension ParameterLayout {
  /// Records the layout of the network that `build` constructs.
  package init<Network>(of build: (Parameters) -> Network) {
    self.init()
    let recorder = LayoutRecorder()
    _ = build(Parameters(recorder))
    self = recorder.frozen
  }
}

/// Placeholder parameters for a frozen network while the layout of another network is recorded.
struct UnrecordedParameters: ParameterSource {
  let workspace: Workspace

  func parameter(_ name: String, _ shape: [Int], _ initializer: Initializer, decays: Bool) -> Tensor
  {
    Tensor(shape: shape, storage: Storage(bytes: 0, in: workspace))
  }

  func lora(_ name: String, inputs: Int, outputs: Int, order: WeightOrder) -> LoRATensors? {
    nil
  }

  func over(_ frozen: FrozenParameters) -> any ParameterSource { self }
}

extension Workspace {
  /// Builds a network on this worker whose parameters are views of `values`.
  ///
  /// - Parameters:
  ///   - layout: The layout recorded from the same `build`.
  ///   - values: The flat buffer, shared by all workers of a process; read-only while they compute.
  ///   - bf16Copy: A copy of `values` in bf16, which the caller updates together with them. Without
  ///     it, every product in bf16 precision rounds its weights again.
  ///   - frozen: The parameters that are not in `layout`, when `layout` is the trainable part of an
  ///     adapted network.
  ///   - build: Constructs the network.
  package func bind<Network>(
    _ layout: ParameterLayout, values: FlatBuffer, bf16Copy: BF16Buffer? = nil,
    frozen: FrozenParameters? = nil, _ build: (Parameters) -> Network
  ) -> Network {
    let own = BoundParameters(layout, values, bf16Copy, in: self)
    parameters = layout.entries.enumerated().map {
      Variable(parameter: ParameterSlot(index: $0.offset, range: $0.element.range))
    }
    let rest = frozen.map { BoundParameters($0.layout, $0.values, $0.bf16Copy, in: self) }
    return build(Parameters(Binding(own: own, frozen: rest)))
  }

  /// Starts a leaf of the gradient sum.
  ///
  /// Gradients go to `buffer`; the first contribution to each parameter overwrites the buffer,
  /// later ones add.
  ///
  /// Until a gradient is written, recorded tensors may be allocated in its memory; see
  /// `GradientArena`.
  package func beginGradients(into buffer: FlatBuffer) {
    for variable in parameters { arena?.evict(variable) }
    arena = GradientArena(of: buffer)
    gradients = buffer.elements.baseAddress
    for variable in parameters {
      variable.isWritten = false
      variable.isComplete = false
    }
  }
}

/// The parameters of a worker's network: the trainable ones and the frozen ones.
private struct Binding: ParameterSource {
  /// The trainable parameters; nil for a frozen network.
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

  func lora(_ name: String, inputs: Int, outputs: Int, order: WeightOrder) -> LoRATensors? {
    guard let own, let lora = own.layout.lora?.configuration,
      let index = own.indices[LoRALayout.downName(name)]
    else { return nil }
    let variables = own.workspace.parameters
    return LoRATensors(
      down: own.tensor(index, [lora.rank, inputs], variables[index]),
      up: own.tensor(index + 1, [outputs, lora.rank], variables[index + 1]),
      scale: lora.scale, dropout: lora.dropout, index: index)
  }

  func over(_ frozen: FrozenParameters) -> any ParameterSource {
    guard let workspace = (own ?? self.frozen)?.workspace else { return self }
    return Binding(
      own: nil,
      frozen: BoundParameters(frozen.layout, frozen.values, frozen.bf16Copy, in: workspace))
  }
}

/// The parameters of one layout in memory.
private struct BoundParameters {
  let layout: ParameterLayout
  let indices: [String: Int]
  let workspace: Workspace
  private let values: FlatBuffer
  private let bf16Copy: BF16Buffer?

  init(
    _ layout: ParameterLayout, _ values: FlatBuffer, _ bf16Copy: BF16Buffer?,
    in workspace: Workspace
  ) {
    precondition(
      values.elements.count == layout.count,
      "a buffer of \(values.elements.count) for a layout of \(layout.count)")
    precondition(
      bf16Copy.map { $0.elements.count == layout.count } ?? true, "a bf16 buffer of another size")
    self.layout = layout
    self.values = values
    self.bf16Copy = bf16Copy
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
    let copy = bf16Copy.flatMap { copy in
      copy.elements.baseAddress.map {
        Storage(
          borrowing: $0 + entry.range.lowerBound,
          bytes: entry.range.count * ElementType.bfloat16.stride, from: copy, in: workspace)
      }
    }
    let storage = Storage(
      borrowing: base + entry.range.lowerBound,
      bytes: entry.range.count * MemoryLayout<Float>.stride, from: values, bf16Copy: copy,
      in: workspace)
    return Tensor(shape: shape, storage: storage, variable: variable)
  }
}
