import Configuration
import Testing

@testable import Phases
@testable import Training

@Suite struct TrainingOptionsTests {
  /// The shortest file that is accepted.
  private static let file = "data: { train: [a.txt] }"

  private func options(_ overrides: String...) throws -> PretrainingOptions {
    var reader = try ConfigurationReader(yaml: Self.file, file: "run.yaml", overrides: overrides)
    let options = try PretrainingOptions(&reader)
    try reader.finish()
    return options
  }

  private func sentence(_ overrides: [String]) -> String {
    do {
      _ = try plan(overrides)
      return "nothing was refused"
    } catch {
      return "\(error)"
    }
  }

  @Test func theShortestFileHasTheDefaults() throws {
    let options = try options()
    #expect(options.data.corpus.train == ["a.txt"])
    #expect(options.tokenizer == "bytes")
    #expect(options.training.reduction == .exact)
    #expect(options.data.corpus.validation == .fraction(0.1))
    #expect(options.model.family == .gpt2)
  }

  /// The default warm-up leaves nine tenths of a short run; those of long runs are of one length.
  @Test(arguments: [(1, 0), (9, 0), (51, 5), (200, 20), (1000, 100), (100_000, 100)])
  func theDefaultWarmupIsAtMostATenthOfTheSteps(steps: Int, warmup: Int) throws {
    #expect(try options("steps=\(steps)").training.warmup == warmup)
    let given = try options("steps=\(steps)", "schedule.warmup=60").training
    #expect(given.warmup == 60)
    // With epochs, the data decides the steps, and the warm-up with them.
    #expect(try options("epochs=2").training.warmup == nil)
    #expect(try options("epochs=2", "schedule.warmup=60").training.warmup == 60)
  }

  /// The phases' default runs are ten times as long as their warm-ups.
  @Test(arguments: [
    (PhaseKind.pretrain, 100), (.finetune, 50), (.reward, 25), (.align, 10),
  ])
  func theDefaultRunsHaveTheirWholeWarmup(kind: PhaseKind, warmup: Int) throws {
    let keys = try ConfigurationReader.schema { try kind.type.readKeys(&$0) }
    #expect(keys.first { $0.path == "schedule.warmup" }?.defaultValue == "\(warmup)")
  }

  /// The default final rate follows the peak, so that every schedule decays.
  @Test(arguments: [("1e-5", 1e-6), ("1e-3", 1e-4), ("3e-3", 3e-4), ("0", 0)])
  func theDefaultFinalRateIsATenthOfThePeak(peak: String, final: Double) throws {
    #expect(try options("optimizer.learningRate=\(peak)").training.finalRate == final)
    let given = try options("optimizer.learningRate=\(peak)", "schedule.final=0").training
    #expect(given.finalRate == 0)
  }

  /// Sets every key of the schema to another value than its default.
  @Test func everyKeyReachesItsOption() throws {
    let typed = [
      "run=here", "seed=9", "tokenizer=there", "batch.microBatches=16", "batch.sequences=3",
      "batch.accumulation=4", "steps=77", "optimizer.name=sgd", "optimizer.learningRate=0.5",
      "optimizer.momentum=0.7", "optimizer.weightDecay=0.2", "optimizer.clip=0",
      "schedule.name=wsd", "schedule.warmup=5", "schedule.final=0.1", "schedule.decay=6",
      "precision=bf16", "reduction=fast", "recompute=layer", "checkpoint.every=3",
      "sync=diloco", "diloco.workers=4", "diloco.innerSteps=7", "diloco.outerLearningRate=0.5",
      "diloco.outerMomentum=0.8",
      "checkpoint.keep=4", "checkpoint.keepEvery=5", "checkpoint.keepBest=false",
      "evaluate.every=7", "evaluate.tokens=8", "evaluate.samples=9", "guard.spike=3",
      "log.every=2", "watchdog.limit=12", "energy.wattsPerCore=9",
      "energy.gramsPerKilowattHour=380", "audit.burnIn=2.5", "data.train=[a.txt, b.txt]",
      "data.validation=[held.txt]",
      "data.textField=body", "data.documentMask=true",
      "model.family=llama", "model.layers=7", "model.heads=8", "model.kvHeads=2", "model.width=96",
      "model.hidden=200",
      "model.context=32", "model.dropout=0.25", "model.vocabulary=500", "model.tied=true",
      "model.initialStd=0.05",
    ]
    // Keys that have no effect with sgd.
    let ofAdamW = ["optimizer.betas=[0.8, 0.7]", "optimizer.epsilon=1e-6"]
    let ofBERT = ["model.family=bert", "mask.rate=0.3", "mask.wholeWords=true"]
    let ofT5 = [
      "model.family=t5", "spans.rate=0.3", "spans.mean=5", "model.gated=false",
      "model.decoderLayers=3",
    ]
    let ofAdaptation = [
      "model.from=start", "data.replay.train=[old.txt]", "data.replay.fraction=0.1",
      "data.replay.validation=0.3",
    ]
    // Keys that exclude steps and checkpoint.keepBest=false.
    let ofLength = ["epochs=2.5", "earlyStopping.patience=3"]
    // A key that excludes reduction=fast.
    let ofExact = ["audit.every=6"]
    // Each answer to a loss spike has keys of its own.
    let ofSkip = [
      "guard.onSpike=skip", "guard.std=4", "guard.limit=2", "guard.skipped=[7, 9-12]",
    ]
    let ofRollback = ["guard.onSpike=rollback", "guard.rollbackSteps=50"]
    let others = ofAdamW + ofBERT + ofT5 + ofAdaptation + ofLength + ofExact + ofSkip + ofRollback
    let keys = Set(
      (typed + others).compactMap {
        $0.split(separator: "=").first.map(String.init)
      })
    let schema = try ConfigurationReader.schema { _ = try PretrainingOptions(&$0) }
    #expect(keys == Set(schema.map(\.path)))
    var reader = try ConfigurationReader(yaml: Self.file, file: "run.yaml", overrides: typed)
    let options = try PretrainingOptions(&reader)
    for key in typed.compactMap({ $0.split(separator: "=").first.map(String.init) })
    where key != "data.train" {
      #expect(reader.isChanged(key), "\(key)")
    }

    var other = try ConfigurationReader(yaml: Self.file, file: "run.yaml", overrides: ofBERT)
    let masked = try PretrainingOptions(&other)
    #expect(masked.model.family == .bert && masked.mask.fraction == 0.3 && masked.mask.wholeWords)

    var third = try ConfigurationReader(yaml: Self.file, file: "run.yaml", overrides: ofT5)
    let taken = try PretrainingOptions(&third)
    #expect(taken.model.family == .t5 && taken.spans.fraction == 0.3 && taken.spans.mean == 5)
    #expect(!taken.model.isGated && taken.model.decoderLayers == 3)
    other = try ConfigurationReader(
      yaml: Self.file, file: "run.yaml", overrides: ofAdaptation + ["model.context=32"])
    let adapted = try PretrainingOptions(&other)
    #expect(adapted.start?.from == "start" && adapted.start?.context == 32)
    let replay = try #require(adapted.data.replay)
    #expect(replay.corpus.train == ["old.txt"] && replay.fraction == 0.1)
    #expect(replay.corpus.validation == .fraction(0.3))

    let training = options.training
    #expect(training.run == "here" && training.seed == 9 && training.steps == 77)
    #expect(options.tokenizer == "there")
    #expect((training.microBatches, training.sequences, training.accumulation) == (16, 3, 4))
    #expect(training.rule == .sgd && training.learningRate == 0.5 && training.momentum == 0.7)
    #expect(training.weightDecay == 0.2)
    #expect(training.clip == 0 && training.schedule == .wsd && training.warmup == 5)
    #expect(training.finalRate == 0.1 && training.decay == 6)
    #expect(training.precision == .bf16 && training.reduction == .fast)
    #expect(training.recomputation == .layer)
    #expect(
      training.diloco
        == DiLoCo(workers: 4, innerSteps: 7, outerLearningRate: 0.5, outerMomentum: 0.8))
    #expect((training.checkpointEvery, training.keep, training.keepEvery) == (3, 4, 5))
    #expect(!training.keepBest && training.evaluateEvery == 7 && options.evaluateTokens == 8)
    #expect(options.evaluateSamples == 9)
    #expect(training.spike == 3 && training.logEvery == 2 && training.watchdogLimit == 12)
    #expect(training.audit.burnIn == 2.5 && training.audit.every == 0)
    #expect(try self.options(ofExact[0]).training.audit.every == 6)
    #expect(training.energy.wattsPerCore == 9 && training.energy.gramsPerKilowattHour == 380)
    #expect(options.data.corpus.train == ["a.txt", "b.txt"])
    #expect(options.data.corpus.validation == .files(["held.txt"]))
    #expect(options.data.corpus.textField == "body")
    #expect(options.data.documentMask)
    let model = options.model
    #expect(model.family == .llama && model.layers == 7 && model.width == 96)
    #expect(model.heads == 8 && model.keyHeads == 2 && model.hidden == 200)
    #expect(model.context == 32 && model.dropout == 0.25 && model.vocabulary == 500)
    #expect(model.tied == true && model.initialStd == 0.05)
    let adamW = try self.options(ofAdamW[0], ofAdamW[1])
    #expect(adamW.training.betas == [0.8, 0.7] && adamW.training.epsilon == 1e-6)
    let length = try self.options(ofLength[0], ofLength[1])
    #expect(length.training.epochs == 2.5 && length.training.patience == 3)
    #expect(training.onSpike.action == .stop && training.onSpike.skipped.count == 0)
    let skip = try self.options(ofSkip[0], ofSkip[1], ofSkip[2], ofSkip[3]).training.onSpike
    #expect(skip.action == .skip && skip.deviations == 4 && skip.limit == 2)
    #expect(skip.skipped.text == "7, 9-12")
    let rollback = try self.options(ofRollback[0], ofRollback[1]).training.onSpike
    #expect(rollback.action == .rollback && rollback.rollbackSteps == 50)
  }

  /// Paths, the rate of reports and the means of saving memory do not change the weights.
  @Test func settingsAreTheKeysThatDecideTheBits() throws {
    var reader = try ConfigurationReader(yaml: Self.file, file: "run.yaml")
    _ = try PretrainingOptions(&reader)
    let reporting = [
      "run", "tokenizer", "model.from", "data.train", "data.validation", "data.textField",
      "data.replay.train", "data.replay.validation", "recompute", "checkpoint.every",
      "checkpoint.keep", "checkpoint.keepEvery", "checkpoint.keepBest", "evaluate.every",
      "evaluate.tokens", "evaluate.samples", "earlyStopping.patience", "guard.spike",
      "guard.limit", "log.every", "watchdog.limit", "energy.wattsPerCore",
      "energy.gramsPerKilowattHour", "audit.every", "audit.burnIn", "precision",
    ]
    let all = Set(reader.schema.map(\.path))
    #expect(Set(reader.settings.keys) == all.subtracting(reporting).union(["precision"]))
    // A rollback depends on the loss that is too high.
    var other = try ConfigurationReader(
      yaml: Self.file, file: "run.yaml", overrides: ["guard.onSpike=rollback"])
    _ = try PretrainingOptions(&other)
    #expect(
      Set(other.settings.keys) == Set(reader.settings.keys).union(["guard.spike"]))
    // `precision: auto` is recorded as what it came to.
    #expect(try plan([]).settings["precision"] != "auto")
    #expect(try plan([]).settings["seed"] == "1")
  }

  /// A renamed key is refused with its new name, not ignored.
  @Test(arguments: [
    ("mask.share", "mask.rate"), ("spans.share", "spans.rate"),
    ("evaluate.stories", "evaluate.samples"),
    ("data.replay.share", "data.replay.fraction"), ("model.initialDeviation", "model.initialStd"),
  ])
  func aRenamedKeyIsRefusedWithItsNewName(old: String, new: String) {
    #expect(sentence(["\(old)=0.2"]).contains("there is no key \(old); it was renamed to \(new)."))
  }

  /// The resolved configuration, with every default, resolves to itself.
  @Test(arguments: [
    [], ["optimizer.name=sgd"], ["schedule.name=constant"], ["sync=diloco", "diloco.innerSteps=4"],
    ["epochs=2", "steps=null", "schedule.warmup=null"],
    ["schedule.name=wsd", "schedule.decay=2"],
  ])
  func theResolvedFileIsAccepted(overrides: [String]) throws {
    let resolved = try plan(overrides).resolved
    var again = try ConfigurationReader(yaml: resolved, file: "config.yaml")
    #expect(try Pretraining(&again).plan.resolved == resolved)
  }

  /// Overrides, and words that the error sentence must have so that the user can correct them.
  @Test(
    arguments: [
      (["batch.microBatches=6"], ["batch.microBatches", "6 is not a power of two", "4 or 8"]),
      (
        ["earlyStopping.patience=2", "checkpoint.keepBest=true", "evaluate.every=0"],
        ["earlyStopping.patience", "evaluate.every is 0"]
      ),
      (["batch.accumulation=3"], ["batch.accumulation", "3 is not a power of two", "2 or 4"]),
      (["batch.accumulation=8"], ["batch.accumulation", "8", "4 micro-batches"]),
      (["model.heads=3"], ["model.heads", "3 heads do not divide the width 16"]),
      (["model.dropout=1"], ["model.dropout", "1"]),
      (["model.vocabulary=100"], ["model.vocabulary", "100", "257", "tokenizer"]),
      (["model.width=131072", "model.layers=16"], ["model.width", "MiB", "memory"]),
      (["batch.sequences=65536", "model.context=1000000"], ["batch.sequences", "MiB", "memory"]),
      (["data.validation=1"], ["data.validation", "0..<1", "not 1"]),
      (["data.validation=-0.5"], ["data.validation", "0..<1", "-0.5"]),
      (["steps=0"], ["steps", "0", "from 1 to 1000000000000"]),
      (["steps=many"], ["steps", "integer", "many"]),
      (["optimizer.learningRate=-1"], ["optimizer.learningRate", "-1"]),
      (["optimizer.betas=[0.9]"], ["optimizer.betas", "2"]),
      (["optimizer.betas=[0.9, 1]"], ["optimizer.betas", "1"]),
      (["schedule.name=cosinus"], ["schedule.name", "cosinus", "cosine"]),
      (["reduction=exakt"], ["reduction", "exakt", "exact"]),
      (["precision=fp8"], ["precision", "fp8", "fp32"]),
      (["sync=local"], ["sync", "local", "diloco"]),
      (["diloco.workers=4"], ["diloco.workers", "no effect with sync: exact", "set sync: diloco"]),
      (
        ["sync=diloco", "diloco.innerSteps=4", "diloco.workers=3"],
        ["diloco.workers", "3 is not a power of two", "2 or 4"]
      ),
      (
        ["sync=diloco", "diloco.innerSteps=4", "diloco.workers=8"],
        ["diloco.workers", "8 workers", "4 parts", "batch.microBatches"]
      ),
      (["sync=diloco", "diloco.innerSteps=5"], ["steps", "12", "5 steps of a round", "10 or 15"]),
      (["sync=diloco"], ["steps", "12", "100 steps of a round", "choose 100"]),
      (["checkpoint.keep=0"], ["checkpoint.keep", "0", "from 1 to 1000000000"]),
      (["optimiser.learningRate=1"], ["no key optimiser", "did you mean optimizer?"]),
      (["step=5"], ["step", "steps"]),
      (["tokenizer=nowhere"], ["nowhere"]),
      (["schedule.name=wsd"], ["schedule.decay", "12 steps", "constant"]),
      (["schedule.final=0.1"], ["schedule.final", "0.1", "above optimizer.learningRate, 0.001"]),
      (
        ["optimizer.learningRate=1e-5", "schedule.final=1e-4"],
        ["schedule.final", "0.0001", "1e-05 or less"]
      ),
      (["optimizer.momentum=0.5"], ["optimizer.momentum", "adamw", "leave it out"]),
      (
        ["optimizer.name=sgd", "optimizer.betas=[0.9, 0.95]"],
        ["optimizer.betas", "sgd", "leave it out"]
      ),
      (["optimizer.name=sgd", "optimizer.epsilon=1e-6"], ["optimizer.epsilon", "sgd"]),
      (["schedule.decay=5"], ["schedule.decay", "cosine", "leave it out"]),
      (["guard.onSpike=wait"], ["guard.onSpike", "wait", "rollback"]),
      (["guard.std=4"], ["guard.std", "guard.onSpike: stop", "leave it out"]),
      (
        ["sync=diloco", "diloco.innerSteps=1", "guard.onSpike=skip"],
        ["guard.onSpike", "sync: diloco", "sync: exact"]
      ),
      (
        ["sync=diloco", "diloco.innerSteps=1", "guard.skipped=[4]"],
        ["guard.skipped", "sync: diloco", "leave the key out"]
      ),
      (
        ["sync=diloco", "diloco.innerSteps=1", "audit.every=4"],
        ["audit.every", "sync: diloco", "sync: exact"]
      ),
      (["guard.onSpike=rollback", "guard.std=4"], ["guard.std", "guard.onSpike: rollback"]),
      (["guard.onSpike=skip", "guard.rollbackSteps=4"], ["guard.rollbackSteps", "skip"]),
      (["guard.limit=4"], ["guard.limit", "stop", "leave it out"]),
      (["guard.onSpike=rollback", "guard.rollbackSteps=0"], ["guard.rollbackSteps", "0"]),
      (["guard.skipped=[4, 3]"], ["guard.skipped", "3 is not a step", "ascending"]),
      (["guard.skipped=[4-9, 9]"], ["guard.skipped", "9 is not a step"]),
      (["guard.skipped=[9-4]"], ["guard.skipped", "9-4 is not a step", "101-204"]),
      (["guard.skipped=[0]"], ["guard.skipped", "0 is not a step"]),
      (["guard.skipped=[-3]"], ["guard.skipped", "-3 is not a step"]),
      (["guard.skipped=[a]"], ["guard.skipped", "a is not a step"]),
      (["schedule.name=constant", "schedule.final=0"], ["schedule.final", "constant"]),
      (["run=\"\""], ["run is refused", "empty path"]), (["run="], ["run must be a text"]),
      (["steps=99999999999999999999"], ["steps", "from 1 to 1000000000000"]),
    ])
  func refusalsNameKeyValueAndRemedy(typed: [String], words: [String]) {
    let found = sentence(typed)
    for word in words { #expect(found.contains(word), "\(typed): \(found)") }
  }
}
