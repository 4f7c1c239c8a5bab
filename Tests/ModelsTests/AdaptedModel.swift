import Checkpoints
import Layers
import Models

@testable import Tensors

/// A network under LoRA with its weights, bound to a worker.
struct AdaptedModel<Network> {
  let layouts: AdaptedLayout
  let trainable: FlatBuffer
  let workspace: Workspace
  let network: Network

  /// - Parameters:
  ///   - base: The folder of the weights that stay.
  ///   - adapter: The folder of those that are trained; nil for their first values.
  init(
    _ build: (Parameters) -> Network, lora: LoRA, base: String, adapter: String?,
    precision: Precision = .fp32
  ) throws {
    layouts = try AdaptedLayout(of: build, lora: lora)
    let frozen = FrozenParameters(
      layout: layouts.frozen,
      values: try ModelFiles.read(folder: base, layout: layouts.frozen), precision: precision)
    trainable = FlatBuffer(count: layouts.trainable.count)
    if let adapter {
      try ModelFiles.read(folder: adapter, layout: layouts.trainable, into: trainable.elements)
    } else {
      layouts.trainable.initialize(trainable.elements, seed: 1)
    }
    let halves = precision == .bf16 ? HalfBuffer(count: layouts.trainable.count) : nil
    halves?.round(trainable, 0..<layouts.trainable.count)
    workspace = Workspace(precision: precision)
    network = workspace.bind(
      layouts.trainable, values: trainable, halves: halves, frozen: frozen, build)
  }

  /// The gradient of what `loss` makes of the network.
  func gradient(_ loss: (Network) throws -> Tensor) rethrows -> FlatBuffer {
    let gradient = FlatBuffer(count: layouts.trainable.count)
    workspace.beginGradients(into: gradient)
    try workspace.backward(from: workspace.recording { try loss(network) }) { _ in }
    return gradient
  }
}
