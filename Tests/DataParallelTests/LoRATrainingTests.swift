import MPI
import Optimizers
import RandomNumbers
import TestWorld
import Testing

@testable import DataParallel
@testable import Tensors

/// A network of a frozen linear layer with a LoRA adapter, and a trained head.
private struct LoRANetwork {
  let weight: Tensor
  let lora: LoRATensors?
  let head: Tensor

  init(_ parameters: Parameters) {
    let layer = parameters["map"]
    weight = layer.tensor("weight", [80, 1600], .normal(std: 0.1), decays: true)
    lora = layer.lora(inputs: 80, outputs: 1600, order: .inputsByOutputs)
    head = parameters["head"].tensor("weight", [1600, 20], .normal(std: 0.1), decays: true)
  }

  func loss(_ workspace: Workspace, microBatch: Int) -> Tensor {
    let stream = RandomStream(seed: 9, purpose: .probe, microBatch)
    let x = Tensor(
      (0..<UInt64(64 * 80)).map { stream.uniform($0) - 0.5 }, shape: [64, 80], in: workspace)
    let mask = DropoutMask(
      rate: 0.2, stream: RandomStream(seed: 1, purpose: .dropout, microBatch))
    let y = lora.map {
      x.linear(
        weight: weight, order: .inputsByOutputs,
        plus: (
          x.dropout(mask).linear(weight: $0.down, order: .outputsByInputs, fp32Output: true)
            * $0.scale, $0.up
        ))
    }
    return (y ?? x).gelu().linear(weight: head, order: .inputsByOutputs, fp32Output: true)
      .crossEntropyConsumingLogits(targets: (0..<64).map { Int32(($0 * 7 + microBatch) % 20) })
      .sum()
  }
}

/// LoRA training over the ranks that the tests were started with.
@Suite(.serialized, .worldInTurn) struct LoRATrainingTests {
  private typealias Plan = DataParallel<LoRANetwork>.Plan

  /// Trains for 3 steps and returns the bits of the trained weights.
  private func train(_ world: Communicator, _ plan: Plan) throws -> [UInt32] {
    let layouts = try AdaptedLayout(
      of: LoRANetwork.init,
      lora: LoRA(rank: 4, alpha: 8, targets: ["map"], modulesToSave: ["head"]))
    let frozen = FlatBuffer(count: layouts.frozen.count)
    layouts.frozen.initialize(frozen.elements, seed: 3)
    let replicas = try DataParallel(
      world: world, layout: layouts.trainable,
      frozen: FrozenParameters(layout: layouts.frozen, values: frozen, precision: plan.precision),
      plan: plan, build: LoRANetwork.init)
    layouts.trainable.initialize(replicas.parameters.elements, seed: 4)
    try replicas.parametersChanged()
    let before = Array(frozen.elements)
    let optimizer = ShardedOptimizer(AdamW(betas: (0.9, 0.99), weightDecay: 0.1), for: replicas)
    for update in 1...3 {
      let gradient = try replicas.gradient { $0.loss($1, microBatch: $2) }
      _ = try optimizer.update(
        replicas, along: gradient, factor: 0.01, learningRate: 0.01, update: update)
    }
    #expect(Array(frozen.elements) == before)
    // B, which starts at 0, has changed.
    let up = layouts.trainable.entries[1].range
    #expect(replicas.parameters.elements[up].contains { $0 != 0 })
    // Optimizer state, exchange and norms cover the trained parameters only.
    #expect(replicas.layout.count < layouts.frozen.count)
    return replicas.parameters.elements.map(\.bitPattern)
  }

  @Test(arguments: [(1, 1), (2, 1), (3, 1), (1, 2)], Precision.allCases)
  func bitsDoNotDependOnRanksThreadsOrTeams(shape: (threads: Int, team: Int), precision: Precision)
    throws
  {
    let alone = try SharedWorld.world.split(color: SharedWorld.world.rank)
    let expected = try train(alone, Plan(microBatches: 4, threads: 1, precision: precision))
    let result = try train(
      SharedWorld.communicator(),
      Plan(microBatches: 4, threads: shape.threads, team: shape.team, precision: precision))
    let isEqual = result == expected
    #expect(isEqual)
  }
}
