import Datasets
import MPI
import Models
import Monitoring
import TestWorld
import Testing

@testable import DataParallel
@testable import Training

/// The effects of keys on memory and messages, which losses and weights do not show.
@Suite(.serialized, .worldInTurn) struct TrainerTests {
  private let world: Communicator
  private let folder: SharedFolder

  init() throws {
    world = try SharedWorld.communicator()
    // Also sets the cache folder of the machine's peak.
    folder = try SharedFolder(world)
  }

  private func trainer(_ overrides: String..., threads: Int = 1) throws -> Trainer {
    let phase = try phase(["precision=fp32"] + overrides)
    let plan = phase.plan
    let ids = (0..<4096).map { (place: Int) in Int32(place * place % 250) }
    return try Trainer(
      plan, world: world, workers: .init(threads: threads, cores: nil),
      objective: try phase.objective(
        over: TokenStream(
          ids, vocabularySize: plan.model.vocabulary, endOfText: plan.tokenizer.endOfText)))
  }

  /// The activations of one layer at a time instead of all six.
  @Test func recomputingALayerTakesLessMemory() throws {
    let sizes = ["model.layers=6", "model.width=64", "batch.sequences=8", "model.context=32"]
    let results = try ["none", "layer"].map { choice in
      let trainer = try trainer(
        sizes[0], sizes[1], sizes[2], sizes[3], "recompute=\(choice)")
      let losses = try (0..<2).map { _ in try trainer.step().loss }
      return (bytes: trainer.replicas.poolUse.bytes, losses: losses)
    }
    #expect(results[0].losses == results[1].losses)
    #expect(Double(results[1].bytes) < 0.6 * Double(results[0].bytes), "\(results)")
  }

  /// AdamW corrects the bias of its moments by the number of updates: its first one moves a weight by the
  /// learning rate, also in step 3, where the number of the step would make it 0.66 of that.
  @Test func theFirstUpdateAfterSkippedStepsIsTheFirst() throws {
    let trainer = try trainer(
      "optimizer.learningRate=1e-3", "schedule.name=constant", "schedule.warmup=0",
      "optimizer.weightDecay=0", "optimizer.clip=0")
    trainer.skips = try SkipRecord.parse(["1-2"]).get()
    let entry = try #require(trainer.skips.entry(at: 1))
    let before = Array(trainer.replicas.parameters.elements)
    _ = try trainer.passOver(entry, to: 2, sending: ControlWord())
    #expect(Array(trainer.replicas.parameters.elements) == before)
    #expect(trainer.state.step == 2 && trainer.state.tokensSeen == 0)
    #expect(try trainer.step().step == 3)
    let moves = zip(before, trainer.replicas.parameters.elements).map { abs($0 - $1) }
    let largest = try #require(moves.max())
    #expect(abs(largest - 1e-3) < 1e-6, "\(largest)")
  }

  /// Ranks of one host send each other neither gradients nor weights, only words; one rank sends
  /// nothing.
  @Test func ranksOfOneHostSendOnlyWords() throws {
    for choice in ["exact", "fast"] {
      let trainer = try trainer("reduction=\(choice)", "model.width=128")
      _ = try trainer.step()
      let sent = try trainer.step().bytesSent
      let most = world.size == 1 ? 0 : trainer.plan.counts.trained / 10
      #expect(sent <= most && (sent > 0) == (world.size > 1), "\(choice): \(sent)")
    }
  }

  /// Less than two kilobytes per step over six hundred steps.
  @Test func memoryDoesNotGrowFromStepToStep() throws {
    // Eight micro-batches keep two workers of four ranks busy. With teams the test would be
    // unstable: their threads allocate scratch memory at the same time only by chance.
    let trainer = try trainer("steps=800", "guard.spike=0", "batch.microBatches=8", threads: 2)
    for _ in 0..<200 { _ = try trainer.step() }
    let (pool, before) = (trainer.replicas.poolUse, try #require(ProcessMemory.resident()))
    for _ in 0..<600 { _ = try trainer.step() }
    #expect(trainer.replicas.poolUse == pool)
    let growth = try #require(ProcessMemory.resident()) - before
    print("600 steps: \(growth) bytes more of resident memory")
    #expect(growth < 1 << 20)
  }
}
