import Configuration
import Testing

@testable import Phases
@testable import Training

@Suite struct TrainingPlanTests {
  @Test func theScheduleFollowsTheKeys() throws {
    let cosine = try plan(["optimizer.learningRate=1", "schedule.final=0.5", "steps=10"]).schedule
    #expect(cosine.rate(at: 0) == 0.5 && cosine.rate(at: 1) == 1 && cosine.rate(at: 2) == 1)
    #expect(abs(cosine.rate(at: 6) - 0.75) < 1e-12 && cosine.rate(at: 10) == 0.5)
    let wsd = try plan([
      "optimizer.learningRate=1", "schedule.name=wsd", "schedule.decay=4", "schedule.final=0",
      "steps=10",
    ]).schedule
    #expect(wsd.rate(at: 5) == 1 && wsd.rate(at: 8) == 0.5)
    let constant = try plan(["optimizer.learningRate=3", "schedule.name=constant"]).schedule
    #expect(constant.rate(at: 11) == 3)
  }

  @Test func theOptimizerFollowsTheKeys() throws {
    let adamw = "\(try plan(["optimizer.betas=[0.8, 0.7]", "optimizer.weightDecay=0.3"]).optimizer)"
    for word in ["AdamW", "0.8", "0.7", "0.3"] { #expect(adamw.contains(word)) }
    let sgd = "\(try plan(["optimizer.name=sgd", "optimizer.momentum=0.6"]).optimizer)"
    for word in ["SGD", "0.6"] { #expect(sgd.contains(word)) }
  }

  @Test func theVocabularyIsTheTokenizersUnlessLarger() throws {
    #expect(try plan([]).model.vocabulary == 257)
    #expect(try plan(["model.vocabulary=300"]).model.vocabulary == 300)
    #expect(try plan([]).tokensPerStep == 4 * 2 * 16)
  }

  @Test func settingsContainExactlyTheKeysThatDecideTheBits() throws {
    // Without a value of its own, the final rate follows the peak.
    let final = "schedule.final=1e-4"
    let settings = try plan([final]).settings
    for change in [
      "seed=2", "steps=13", "batch.microBatches=8", "batch.sequences=3", "batch.accumulation=2",
      "optimizer.betas=[0.5, 0.5]", "optimizer.clip=2", "optimizer.learningRate=1",
      "optimizer.epsilon=1e-6", "optimizer.weightDecay=0.2", "optimizer.name=sgd",
      "schedule.warmup=3", "schedule.final=0", "schedule.name=linear", "reduction=fast",
    ] {
      let changed = try plan([final, change]).settings
      #expect(changed.keys == settings.keys)
      #expect(changed.count { settings[$0.key] != $0.value } == 1, "\(change)")
    }
    for change in ["log.every=3", "checkpoint.every=5", "evaluate.every=1", "run=elsewhere"] {
      #expect(try plan([final, change]).settings == settings, "\(change)")
    }
  }

  /// Every worker adds one or more gradients; threads whose gradients do not fit form teams.
  @Test func memoryLimitsTheNumberOfWorkers() throws {
    let plan = try plan(["batch.microBatches=8", "precision=fp32"])
    let unit = 4 * plan.model.layout.count
    // Weights, two moments, and gradients: 8 × 1 for eight workers, 3 × 2 for three, 1 × 4.
    let room = { (units: Int) in (units * unit + 3) / 4 * 5 + 5 }
    #expect(plan.workersThatFit(into: room(11), ranks: 1) == 8)
    #expect(plan.workersThatFit(into: room(9), ranks: 1) == 3)
    #expect(plan.workersThatFit(into: room(7), ranks: 1) == 1)
    #expect(plan.workersThatFit(into: room(1), ranks: 1) == 1)
    // Two ranks share the moments and the leaves.
    #expect(plan.workersThatFit(into: room(6), ranks: 2) == 4)
    #expect(plan.workersThatFit(into: room(5), ranks: 2) == 1)
  }

  /// Nine buffers over all ranks, two moments of four workers and an outer momentum; on each rank the
  /// global weights, and the sums of its workers' differences, up to two.
  @Test(arguments: [(1, 12), (2, 6.5), (4, 3.25), (8, 2.125)] as [(Int, Double)])
  func workersOfDiLoCoNeedStateOfTheirOwn(ranks: Int, buffers: Double) throws {
    let keys = [
      "model.width=64", "precision=fp32", "sync=diloco", "diloco.workers=4", "diloco.innerSteps=3",
    ]
    let plan = try plan(keys)
    let bytes = 4 * Double(plan.counts.trained)
    let need = try #require(plan.memoryNeed(ranks: ranks, workers: 1).bytes[.optimizer])
    #expect(abs(Double(need) - buffers * bytes) <= 4)
    // A worker has one micro-batch, of which several ranks compute nothing more.
    #expect(plan.memoryNeed(ranks: ranks, workers: 1).bytes[.gradients] == Int(bytes))
    #expect(plan.checkpointBytes == 4 * Double(plan.parameters.trained) * 10)
    for (every, saves) in [(0, 0), (1, 3), (3, 3), (4, 6)] {
      let plan = try TrainingTests.plan(keys + ["checkpoint.every=\(every)"])
      #expect(plan.stepsBetweenSaves == saves)
    }
  }

  /// The sentence names the parts and what to change for less of the largest.
  @Test(arguments: [
    (["batch.accumulation=4"], 1, ["weights", "optimizer state", "smaller model"]),
    (["batch.microBatches=64"], 1, ["gradients", "batch.accumulation"]),
    (["batch.sequences=4096"], 1, ["micro-batch", "batch.sequences", "recompute: layer"]),
    (["optimizer.name=sgd"], 2, ["weights", "gradients"]),
  ])
  func aRankThatNeedsMoreMemoryThanThereIsIsRefused(
    overrides: [String], ranks: Int, words: [String]
  ) throws {
    let plan = try plan(["model.width=256", "model.layers=4", "precision=fp32"] + overrides)
    let need = plan.memoryNeed(ranks: ranks, workers: 1)
    #expect(need.total > 12 << 20)
    try plan.requireMemory(need.total, ranks: ranks)
    let refusal = try #require(throws: StartRefusal.self) {
      try plan.requireMemory(need.total - 1, ranks: ranks)
    }
    let sentence = "\(refusal)"
    for word in words + ["\(need.total >> 20) MiB", "available"] {
      #expect(sentence.contains(word), "\(sentence)")
    }
  }

  /// Rows of a stream of text are full; recomputation needs less memory for them.
  @Test func fullRowsCount() throws {
    let large = ["model.layers=8", "batch.sequences=512"]
    let none = try plan(large).memoryNeed(ranks: 1, workers: 1).bytes[.microBatch] ?? 0
    let layer =
      try plan(large + ["recompute=layer"])
      .memoryNeed(ranks: 1, workers: 1).bytes[.microBatch] ?? 0
    let logits = 4 * 512 * 16 * 257
    #expect(layer > logits && none > layer + 512 * 16 * 8 * 16)
  }

  @Test func checkpointsThatTheDiskCannotHoldAreRefused() throws {
    let plan = try plan([
      "steps=100", "checkpoint.every=10", "checkpoint.keep=3", "precision=fp32", "run=elsewhere",
    ])
    let (folder, size) = (RunFolder(plan.run), 12 * plan.parameters.trained)
    // Three and the draft of a fourth; after a resume those that are there make room.
    for (step, published, count) in [(0, 0, 4), (50, 3, 1), (80, 0, 2), (95, 1, 1)] {
      try plan.requireRoom(
        in: folder, available: count * size, from: step, published: published)
      let refusal = try #require(throws: StartRefusal.self) {
        try plan.requireRoom(
          in: folder, available: count * size - 1, from: step, published: published)
      }
      for word in ["elsewhere/checkpoints", "\(count) checkpoint", "checkpoint.keep"] {
        #expect("\(refusal)".contains(word), "\(refusal)")
      }
    }
    // A later rollback may need two more.
    let rollback = try TrainingTests.plan([
      "steps=100", "checkpoint.every=10", "checkpoint.keep=3", "precision=fp32", "run=elsewhere",
      "guard.onSpike=rollback",
    ])
    try rollback.requireRoom(in: folder, available: 6 * size, from: 0, published: 0)
    #expect(throws: StartRefusal.self) {
      try rollback.requireRoom(in: folder, available: 6 * size - 1, from: 0, published: 0)
    }
  }

  /// `auto` is bf16 only if it is faster on all hosts; a named precision is used as it is.
  @Test func autoIsBF16OnlyIfItIsFasterOnAllHosts() {
    typealias Choice = TrainingOptions.PrecisionChoice
    #expect(Choice.allCases.map { $0.resolved(bf16IsFaster: true) } == [.bf16, .fp32, .bf16])
    #expect(Choice.allCases.map { $0.resolved(bf16IsFaster: false) } == [.fp32, .fp32, .bf16])
  }

  @Test(arguments: [false, true])
  func thePlanUsesThePrecisionThatTheRanksAgreedOn(bf16IsFaster: Bool) throws {
    var reader = try ConfigurationReader(yaml: smallRun, file: "run.yaml", overrides: [])
    let plan = try Pretraining(&reader, bf16IsFaster: bf16IsFaster).plan
    #expect(plan.precision == (bf16IsFaster ? .bf16 : .fp32))
    // A library that computes no product is not part of the settings.
    #expect(plan.settings["matrixLibrary"]?.contains("oneDNN") == bf16IsFaster)
  }

  @Test func theLinesAreThoseOfTheResolvedConfiguration() throws {
    let plan = try plan([])
    #expect(plan.lines.count == plan.resolved.split(separator: "\n").count + 1)
    #expect(plan.lines.contains { $0.value == "microBatches: 4" })
    #expect(plan.lines.first?.name == "line 1 of the resolved configuration")
  }
}
