import MPI
import Optimizers
import RandomNumbers
import TestWorld

@testable import DataParallel
@testable import Tensors

/// A network of two layers, large enough for several buckets of several blocks.
struct SmallNetwork: TestNetwork {
  static let layout = ParameterLayout(of: SmallNetwork.init)
  private let up: Tensor
  private let down: Tensor
  private let bias: Tensor

  init(_ parameters: Parameters) {
    up = parameters["up"].tensor("weight", [100, 300], .normal(std: 0.1), decays: true)
    bias = parameters["up"].tensor("bias", [300], .constant(0), decays: false)
    down = parameters["down"].tensor("weight", [300, 150], .normal(std: 0.1), decays: true)
  }

  func loss(_ workspace: Workspace, microBatch: Int) -> Tensor {
    let stream = RandomStream(seed: 9, purpose: .probe, microBatch)
    let input = Tensor(
      (0..<600).map { stream.uniform(UInt64($0)) - 0.5 }, shape: [6, 100], in: workspace)
    return input.linear(weight: up, order: .inputsByOutputs, bias: bias).gelu()
      .linear(weight: down, order: .inputsByOutputs, fp32Output: true)
      .crossEntropyConsumingLogits(targets: (0..<6).map { Int32(($0 * 7 + microBatch) % 150) })
      .sum()
  }
}

/// A network whose matrix products are divided into several panels for a team.
///
/// It has too many rows for the skinny GEMM kernels of bf16 (`Workspace.skinny`).
struct WideNetwork: TestNetwork {
  static let layout = ParameterLayout(of: WideNetwork.init)
  static let rows = 64
  static let (inputs, hidden, outputs) = (80, 1600, 100)
  private let up: Tensor
  private let down: Tensor

  init(_ parameters: Parameters) {
    up = parameters["up"].tensor(
      "weight", [Self.inputs, Self.hidden], .normal(std: 0.1), decays: true)
    down = parameters["down"].tensor(
      "weight", [Self.hidden, Self.outputs], .normal(std: 0.1), decays: true)
  }

  /// Computes the first product only; no other operation before it is large enough for a team.
  func first(_ workspace: Workspace, microBatch: Int) -> Tensor {
    let stream = RandomStream(seed: 9, purpose: .probe, microBatch)
    let input = Tensor(
      (0..<UInt64(Self.rows * Self.inputs)).map { stream.uniform($0) - 0.5 },
      shape: [Self.rows, Self.inputs], in: workspace)
    return input.linear(weight: up, order: .inputsByOutputs)
  }

  func loss(_ workspace: Workspace, microBatch: Int) -> Tensor {
    first(workspace, microBatch: microBatch).gelu()
      .linear(weight: down, order: .inputsByOutputs, fp32Output: true)
      .crossEntropyConsumingLogits(
        targets: (0..<Self.rows).map { Int32(($0 * 7 + microBatch) % Self.outputs) }
      )
      .sum()
  }
}

/// A network that `DataParallel` and a single-threaded reference both train.
protocol TestNetwork: SendableMetatype {
  static var layout: ParameterLayout { get }
  init(_ parameters: Parameters)
  func loss(_ workspace: Workspace, microBatch: Int) -> Tensor
}

extension TestNetwork {
  private static var seed: UInt64 { 3 }

  /// Makes replicas with initialised weights.
  static func replicas(
    _ world: Communicator, _ plan: DataParallel<Self>.Plan
  ) throws -> DataParallel<Self> {
    let replicas = try DataParallel(
      world: world, layout: layout, plan: plan, build: Self.init)
    // Lets the small tensors alias the gradient buffer, as large ones do.
    for worker in replicas.workers { worker.workspace.smallestArenaAllocation = 64 }
    layout.initialize(replicas.parameters.elements, seed: seed)
    try replicas.parametersChanged()
    return replicas
  }

  static var updates: Int { 3 }
  static var factor: Float { 0.01 }
  static var learningRate: Float { 0.01 }
  static var optimizer: AdamW { AdamW(betas: (0.9, 0.99), weightDecay: 0.1) }

  /// Trains for `updates` steps over `world`, and returns the weights and the gradient norms.
  static func train(
    _ world: Communicator, _ plan: DataParallel<Self>.Plan
  ) throws -> (weights: [Float], norms: [Double]) {
    let replicas = try replicas(world, plan)
    let sharded = ShardedOptimizer(optimizer, for: replicas)
    var norms: [Double] = []
    for update in 1...updates {
      let gradient = try replicas.gradient { $0.loss($1, microBatch: $2) }
      norms.append(try replicas.norm(of: gradient))
      _ = try sharded.update(
        replicas, along: gradient, factor: factor, learningRate: learningRate, update: update)
    }
    return (Array(replicas.parameters.elements), norms)
  }

  /// Trains without threads, ranks, buckets or shards: the reference for an exact step.
  static func trainReference(microBatches: Int, accumulation: Int = 1) -> (
    weights: [Float], norms: [Double]
  ) {
    let values = FlatBuffer(count: layout.count)
    layout.initialize(values.elements, seed: seed)
    let workspace = Workspace()
    let network = workspace.bind(layout, values: values, Self.init)
    let gradient = FlatBuffer(count: layout.count)

    func leaf(_ index: Int) -> Tensor {
      gradient.elements.update(repeating: 0)
      workspace.beginGradients(into: gradient)
      for place in 0..<accumulation {
        workspace.backward(
          from: workspace.recording {
            network.loss(workspace, microBatch: index * accumulation + place)
          })
      }
      return Tensor(Array(gradient.elements), shape: [layout.count], in: workspace)
    }
    func sum(_ leaves: Range<Int>) -> Tensor {
      if leaves.count == 1 { return leaf(leaves.lowerBound) }
      let middle = leaves.lowerBound + leaves.count / 2
      return sum(leaves.lowerBound..<middle) + sum(middle..<leaves.upperBound)
    }

    let state = optimizer.stateNames.map { _ in FlatBuffer(count: layout.count) }
    var norms: [Double] = []
    for update in 1...updates {
      let total = sum(0..<microBatches / accumulation)
      norms.append(total.values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot())
      for entry in layout.entries {
        let start = entry.range.lowerBound
        optimizer.update(
          UnsafeMutableBufferPointer(rebasing: values.elements[entry.range]),
          state: state.compactMap { $0.elements.baseAddress.map { $0 + start } },
          along: total.pointer + start, factor: factor, learningRate: learningRate,
          decays: entry.decays, update: update)
      }
    }
    return (Array(values.elements), norms)
  }
}
