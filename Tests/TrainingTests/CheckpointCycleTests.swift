import Checkpoints
import Datasets
import MPI
import Monitoring
import Tensors
import TestWorld
import Testing

@testable import DataParallel
@testable import Training

@Suite(.serialized, .worldInTurn) struct CheckpointCycleTests {
  private let world: Communicator
  private let folder: SharedFolder
  private let trainer: Trainer
  private let cycle: CheckpointCycle

  /// A model of about six million parameters after one step.
  init() throws {
    world = try SharedWorld.communicator()
    folder = try SharedFolder(world)
    let phase = try phase([
      "model.width=256", "model.layers=8", "model.context=4", "batch.sequences=1",
      "precision=fp32",
    ])
    let plan = phase.plan
    let ids = (0..<4096).map { (place: Int) in Int32(place * place % 250) }
    trainer = try Trainer(
      plan, world: world, workers: .init(threads: 1, cores: nil),
      objective: try phase.objective(
        over: TokenStream(
          ids, vocabularySize: plan.model.vocabulary, endOfText: plan.tokenizer.endOfText)))
    _ = try trainer.step()
    let store = folder.run.checkpoints
    if world.rank == 0 {
      try folder.run.create()
      try store.claim(attempt: "one")
    }
    try world.barrier()
    cycle = try CheckpointCycle(
      store: store, attempt: "one", world: world,
      files: ModelFiles(
        configuration: plan.network, layout: trainer.replicas.layout, tokenizer: plan.tokenizer),
      retention: plan.retention, keepsBest: false, limit: 30)
  }

  /// Weights and two moments, 12 bytes per parameter, were copied by earlier versions.
  @Test func aSaveTakesNoMemory() throws {
    let state = 12 * trainer.replicas.layout.count
    let before = try #require(ProcessMemory.resident())
    try cycle.begin(trainer)
    let during = try #require(ProcessMemory.resident())
    _ = try cycle.finish()
    let after = try #require(ProcessMemory.resident())
    print("a save of \(state) bytes: \(during - before) and \(after - before) bytes of memory")
    #expect(max(during, after) - before < state / 4 / world.size)
  }

  /// The step after the save waits for the copies before it changes the weights, and what happens
  /// to the weights from then on does not reach the files.
  @Test func aSaveHoldsTheStateOfItsStep() throws {
    let weights = trainer.replicas.parameters.elements
    let moment = trainer.optimizer.state[0].elements
    let (expected, moments) = (Array(weights), Array(moment))
    try cycle.begin(trainer)
    var waits = 0
    _ = try trainer.step(sending: ControlWord()) {
      try cycle.awaitCopies()
      waits += 1
      #expect(weights.elementsEqual(expected) && moment.elementsEqual(moments))
    }
    #expect(waits == 1 && !weights.elementsEqual(expected))
    weights.update(repeating: .nan)
    moment.update(repeating: .nan)
    _ = try cycle.finish()
    try world.barrier()
    let checkpoint = try Checkpoint(verifying: folder.run.checkpoint(step: 1))
    let saved = FlatBuffer(count: weights.count)
    try ModelFiles.read(
      folder: checkpoint.path, layout: trainer.replicas.layout, into: saved.elements)
    #expect(saved.elements.elementsEqual(expected))
    let state = trainer.optimizer.state.map { FlatBuffer(count: $0.elements.count) }
    try OptimizerFiles.read(
      from: checkpoint, ranges: trainer.optimizer.ranges,
      state: zip(trainer.optimizer.rule.stateNames, state).map { ($0, $1.elements) })
    #expect(state[0].elements.elementsEqual(moments))
  }
}
