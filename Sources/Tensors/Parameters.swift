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
}

/// The two ways to answer for a parameter: record it, or find it.
protocol ParameterSource {
  func parameter(_ name: String, _ shape: [Int], _ initializer: Initializer, decays: Bool) -> Tensor
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
  public func bind<Network>(
    _ layout: ParameterLayout, values: FlatBuffer, halves: HalfBuffer? = nil,
    _ build: (Parameters) -> Network
  ) -> Network {
    precondition(
      values.elements.count == layout.count,
      "a buffer of \(values.elements.count) for a layout of \(layout.count)")
    precondition(
      halves.map { $0.elements.count == layout.count } ?? true, "a bf16 buffer of another size")
    self.halves = halves
    parameters = layout.entries.enumerated().map {
      Variable(parameter: ParameterSlot(index: $0.offset, range: $0.element.range))
    }
    return build(Parameters(BoundParameters(layout: layout, values: values, workspace: self)))
  }

  /// Starts a leaf of the gradient sum: contributions go to `buffer`, the first of each parameter
  /// overwriting what is there.
  public func beginGradients(into buffer: FlatBuffer) {
    gradients = buffer.elements.baseAddress
    for variable in parameters {
      variable.isWritten = false
      variable.isComplete = false
    }
  }
}

private struct BoundParameters: ParameterSource {
  let layout: ParameterLayout
  let values: FlatBuffer
  let workspace: Workspace

  func parameter(_ name: String, _ shape: [Int], _ initializer: Initializer, decays: Bool) -> Tensor
  {
    guard let index = layout.entries.firstIndex(where: { $0.name == name }),
      let base = values.elements.baseAddress
    else { preconditionFailure("the layout has no parameter \(name)") }
    let entry = layout.entries[index]
    precondition(entry.shape == shape, "\(name): layout \(entry.shape), network \(shape)")
    let storage = Storage(
      borrowing: base + entry.range.lowerBound,
      bytes: entry.range.count * MemoryLayout<Float>.stride, from: values, in: workspace)
    return Tensor(shape: shape, storage: storage, variable: workspace.parameters[index])
  }
}
