import MPI
import Optimizers
import RandomNumbers
import TestWorld

@testable import DataParallel
@testable import Tensors

/// A network of two layers, large enough for several buckets of several blocks.
struct SmallNetwork: TrialNetwork {
  static let layout = ParameterLayout(of: SmallNetwork.init)
  private let up: Tensor
  private let down: Tensor
  private let bias: Tensor

  init(_ parameters: Parameters) {
    up = parameters["up"].tensor("weight", [100, 300], .normal(deviation: 0.1), decays: true)
    bias = parameters["up"].tensor("bias", [300], .constant(0), decays: false)
    down = parameters["down"].tensor("weight", [300, 150], .normal(deviation: 0.1), decays: true)
  }

  func loss(_ workspace: Workspace, microBatch: Int) -> Tensor {
    let stream = RandomStream(seed: 9, purpose: .trial, microBatch)
    let input = Tensor(
      (0..<600).map { stream.uniform(UInt64($0)) - 0.5 }, shape: [6, 100], in: workspace)
    return input.linear(weight: up, order: .inputsByOutputs, bias: bias).gelu()
      .linear(weight: down, order: .inputsByOutputs, precise: true)
      .crossEntropyConsumingLogits(targets: (0..<6).map { Int32(($0 * 7 + microBatch) % 150) })
      .sum()
  }
}

/// A network whose products are cut into several panels for a team, with more rows than go around
/// the library in bf16 (`Workspace.fewRows`).
struct WideNetwork: TrialNetwork {
  static let layout = ParameterLayout(of: WideNetwork.init)
  static let rows = 64
  static let (inputs, hidden, outputs) = (80, 1600, 100)
  private let up: Tensor
  private let down: Tensor

  init(_ parameters: Parameters) {
    up = parameters["up"].tensor(
      "weight", [Self.inputs, Self.hidden], .normal(deviation: 0.1), decays: true)
    down = parameters["down"].tensor(
      "weight", [Self.hidden, Self.outputs], .normal(deviation: 0.1), decays: true)
  }

  /// The first product alone; nothing else in it is large enough to be shared.
  func first(_ workspace: Workspace, microBatch: Int) -> Tensor {
    let stream = RandomStream(seed: 9, purpose: .trial, microBatch)
    let input = Tensor(
      (0..<UInt64(Self.rows * Self.inputs)).map { stream.uniform($0) - 0.5 },
      shape: [Self.rows, Self.inputs], in: workspace)
    return input.linear(weight: up, order: .inputsByOutputs)
  }

  func loss(_ workspace: Workspace, microBatch: Int) -> Tensor {
    first(workspace, microBatch: microBatch).gelu()
      .linear(weight: down, order: .inputsByOutputs, precise: true)
      .crossEntropyConsumingLogits(
        targets: (0..<Self.rows).map { Int32(($0 * 7 + microBatch) % Self.outputs) }
      )
      .sum()
  }
}

/// What is trained here by the room under test, and by definition.
protocol TrialNetwork: SendableMetatype {
  static var layout: ParameterLayout { get }
  init(_ parameters: Parameters)
  /// A scalar.
  func loss(_ workspace: Workspace, microBatch: Int) -> Tensor
}

extension TrialNetwork {
  private static var seed: UInt64 { 3 }

  /// Copies of it with their first weights.
  static func replicas(
    _ world: Communicator, _ plan: DataParallel<Self>.Plan
  ) throws -> DataParallel<Self> {
    let replicas = try DataParallel(
      world: world, layout: layout, plan: plan, build: Self.init)
    // Small as they are, its tensors are to use the gradient's memory as large ones do.
    for worker in replicas.workers { worker.workspace.leastLoan = 64 }
    layout.initialize(replicas.parameters.elements, seed: seed)
    try replicas.parametersChanged()
    return replicas
  }

  static var updates: Int { 3 }
  static var factor: Float { 0.01 }
  static var learningRate: Float { 0.01 }
  static var optimizer: AdamW { AdamW(betas: (0.9, 0.99), weightDecay: 0.1) }

  /// A few steps over `world`; the weights and the norms afterwards.
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
        replicas, factor: factor, learningRate: learningRate, update: update)
    }
    return (Array(replicas.parameters.elements), norms)
  }

  /// The same without threads, ranks, buckets or shards: the definition of an exact step.
  static func trainByDefinition(microBatches: Int, accumulation: Int = 1) -> (
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
