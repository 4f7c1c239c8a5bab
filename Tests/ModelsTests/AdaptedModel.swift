import Checkpoints
import Layers
import Models

@testable import Tensors

/// A network under LoRA with its weights, bound to a workspace.
struct AdaptedModel<Network> {
  let layouts: AdaptedLayout
  let trainable: FlatBuffer
  let workspace: Workspace
  let network: Network

  /// - Parameters:
  ///   - base: The folder of the frozen weights.
  ///   - adapter: The folder of the trainable weights; nil for their initial values.
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
    let bf16Copy = precision == .bf16 ? BF16Buffer(count: layouts.trainable.count) : nil
    bf16Copy?.round(trainable, 0..<layouts.trainable.count)
    workspace = Workspace(precision: precision)
    network = workspace.bind(
      layouts.trainable, values: trainable, bf16Copy: bf16Copy, frozen: frozen, build)
  }

  /// Returns the gradient of `loss` with respect to the trainable parameters.
  func gradient(_ loss: (Network) throws -> Tensor) rethrows -> FlatBuffer {
    let gradient = FlatBuffer(count: layouts.trainable.count)
    workspace.beginGradients(into: gradient)
    try workspace.backward(from: workspace.recording { try loss(network) }) { _ in }
    return gradient
  }
}
