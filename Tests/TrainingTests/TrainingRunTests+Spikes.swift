import Checkpoints
import Files
import Foundation
import Glibc
import Monitoring
import TestWorld
import Testing

@testable import Training

/// Runs that skip steps, or go back to before a loss spike.
extension TrainingRunTests {
  /// A line of metrics.jsonl as far as it must be equal in equal runs: its step with its loss, validation loss or
  /// skipped steps.
  private func history(_ folder: SharedFolder) throws -> [String] {
    try world.barrier()
    let text = try String(contentsOfFile: folder.run.metrics, encoding: .utf8)
    return try text.split(separator: "\n").map { line in
      let line = try JSONReader.read(Array(line.utf8))
      return ["step", "loss", "validationLoss", "gradientNorm", "tokensSeen"].map { key in
        "\(key) \(line[key]?.number.map { "\($0)" } ?? "-")"
      }.joined(separator: " ") + (line["skipped"].flatMap(\.string).map { " " + $0 } ?? "")
    }
  }

  private func record(_ folder: SharedFolder) throws -> SkipRecord? {
    try world.barrier()
    return try SkipFile(in: folder.run)?.record
  }

  /// The hashes of weights and optimizer state after `step`.
  private func state(_ folder: SharedFolder, step: Int) throws -> [String] {
    try world.barrier()
    let checkpoint = try Checkpoint(verifying: folder.run.checkpoint(step: step))
    return checkpoint.manifest.files.filter { $0.name.hasSuffix(".safetensors") }.map(\.sha256)
  }

  // MARK: Skip

  /// A run of 12 steps with a loss of NaN at step 5 is the run of which guard.skipped names step 5.
  @Test(arguments: [1, 2])
  func aStepWithoutAFiniteLossIsSkipped(threads: Int) throws {
    let recorder = Recorder()
    let skip = ["guard.onSpike=skip"]
    try folder.attempt(poisoned: [5: .nan], skip, threads: threads, recorder: recorder)
    onRoot {
      #expect(recorder.seen.steps.map(\.step) == Array(1...12))
      #expect(recorder.seen.steps.filter { $0.skipped != nil }.map(\.step) == [5])
      #expect(recorder.seen.steps[4].skipped == "its loss is nan")
      #expect(recorder.seen.steps.map(\.tokensSeen).suffix(8) == (4...11).map { $0 * 128 })
      #expect(
        recorder.sentences(.warning).contains {
          $0
            == "the update of this step is skipped: its loss is nan (1 in a row, and guard.limit is 5)"
        })
      #expect(
        recorder.sentences(.note).contains {
          $0 == "1 of 12 steps skipped, with 0 rollbacks; guard.skipped: [5] repeats this"
        })
    }
    #expect(try record(folder)?.text == "5")
    let repeated = try SharedFolder(world)
    try repeated.attempt("guard.skipped=[5]")
    #expect(try repeated.weights(step: 12) == folder.weights(step: 12))
    // One rank alone has the same bits.
    let alone = try SharedFolder(world.split(color: world.rank))
    try alone.attempt(poisoned: [5: .nan], skip)
    #expect(try alone.weights(step: 12) == folder.weights(step: 12))
    let plain = try SharedFolder(world)
    try plain.attempt()
    #expect(try plain.weights(step: 12) != folder.weights(step: 12))
  }

  /// The step of the learning-rate schedule and the batch move on, weights and moments do not.
  @Test func aSkippedStepChangesNoBitOfTheState() throws {
    let keys = ["steps=8", "guard.onSpike=skip"]
    let recorder = requesting(SIGTERM, at: 5)
    let stopped = try folder.attempt(poisoned: [6: .nan], keys, recorder: recorder)
    // A request to stop waits for a healthy loss.
    #expect(stopped == .stopped(step: 7))
    let plain = try SharedFolder(world)
    try plain.attempt(["steps=8", "checkpoint.every=4", "checkpoint.keep=9"])
    let skipping = try SharedFolder(world)
    try skipping.attempt(["steps=8", "guard.skipped=[5-8]"])
    #expect(try state(skipping, step: 8) == state(plain, step: 4))
    #expect(try state(plain, step: 8) != state(plain, step: 4))
    // The bits of a step that was computed and not applied.
    let poisoned = try SharedFolder(world)
    let high: [Int: Float] = [66: 1e6, 67: 1e6]
    let long = ["steps=67", "guard.onSpike=skip"]
    try poisoned.attempt(poisoned: high, long)
    let before = try SharedFolder(world)
    try before.attempt(["steps=67", "guard.skipped=[66-67]"])
    #expect(try state(poisoned, step: 67) == state(before, step: 67))
  }

  /// At so few standard deviations ordinary steps are spikes; an interrupted run takes the same for
  /// spikes, and one with the list needs no rule.
  @Test func theRuleIsTheSameAfterAResume() throws {
    let rate = ["steps=110", "optimizer.learningRate=1e-5"]
    let keys =
      rate + ["guard.onSpike=skip", "guard.std=1.3", "guard.limit=20", "checkpoint.every=25"]
    let recorder = Recorder()
    try folder.attempt(keys, recorder: recorder)
    let skipped = try #require(try record(folder))
    onRoot {
      let seen = recorder.seen.steps.filter { $0.skipped != nil }.map(\.step)
      #expect(seen == skipped.entries.map(\.first) && (1...30).contains(seen.count), "\(seen)")
      #expect(seen.allSatisfy { $0 > SpikeRule.leastWindow })
    }
    let weights = try folder.weights(step: 110)
    let resumed = try SharedFolder(world)
    for step in [67, 80, 95] {
      _ = try resumed.attempt(keys, threads: 2, recorder: requesting(SIGTERM, at: step))
    }
    #expect(try resumed.attempt(keys) == .finished)
    #expect(try resumed.weights(step: 110) == weights)
    #expect(try record(resumed) == skipped)
    #expect(try history(resumed) == history(folder))
    let repeated = try SharedFolder(world)
    try repeated.attempt(rate + ["guard.skipped=[\(skipped.text)]"])
    #expect(try repeated.weights(step: 110) == weights)
  }

  @Test func tooManySkippedStepsInARowEndTheRun() throws {
    let poison = Dictionary(uniqueKeysWithValues: (7...12).map { ($0, Float.nan) })
    let keys = ["guard.onSpike=skip", "guard.limit=3", "checkpoint.every=2", "checkpoint.keep=9"]
    let recorder = Recorder { _ in usleep(30_000) }
    #expect {
      try folder.attempt(poisoned: poison, keys, recorder: recorder)
    } throws: {
      let diverged = $0 as? DivergenceGuard.Diverged
      return diverged?.step == 10
        && diverged?.reason == "its loss is nan, after 3 skipped steps in a row, the most that "
          + "guard.limit allows"
    }
    let published = try folder.publishedSteps()
    // The loss of step 7 does not confirm the weights of step 6.
    #expect(!published.isEmpty && published.allSatisfy { $0 <= 4 }, "\(published)")
    // A single poisoned step less, and the run goes on.
    var fewer = poison
    for step in 10...12 { fewer[step] = nil }
    let other = try SharedFolder(world)
    #expect(try other.attempt(poisoned: fewer, keys) == .finished)
  }

  /// The first update makes losses of NaN with finite weights, or weights that are not finite.
  @Test(arguments: ["stop", "skip"])
  func unsoundWeightsAreNotPublished(action: String) throws {
    let keys = Self.destructive + ["guard.onSpike=\(action)"]
    #expect(throws: DivergenceGuard.Diverged.self) { try folder.attempt(keys + ["steps=3"]) }
    #expect(try folder.publishedSteps() == [])
    #expect {
      try folder.attempt(
        keys + ["steps=1", "optimizer.weightDecay=1e38"], resume: .never)
    } throws: {
      ($0 as? DivergenceGuard.Diverged)?.reason == "not all of its weights are finite numbers"
    }
    #expect(try folder.publishedSteps() == [])
  }

  private static let destructive = [
    "optimizer.learningRate=1e38", "optimizer.name=sgd", "optimizer.clip=0", "schedule.warmup=0",
    "schedule.name=constant", "data.validation=0", "checkpoint.every=1",
  ]

  @Test func aRollbackUndoesWeightsThatAreNotFinite() throws {
    let keys =
      Self.destructive + ["steps=2", "optimizer.weightDecay=1e38", "guard.onSpike=rollback"]
    #expect(try folder.attempt(keys) == .finished)
    #expect(try record(folder)?.text == "1-2")
    let initial = try SharedFolder(world)
    try initial.attempt("data.validation=0", "steps=2", "guard.skipped=[1-2]")
    #expect(try folder.weights(step: 2) == initial.weights(step: 2))
  }

  /// The last loss is not finite: the list says that the batch was at fault.
  @Test func aLastStepWithoutAFiniteLossNeedsTheList() throws {
    let keys = ["steps=6", "guard.onSpike=skip"]
    #expect {
      try folder.attempt(poisoned: [6: .infinity], keys)
    } throws: {
      let sentence = "\($0)"
      return sentence.contains("its loss is inf in the last step")
        && sentence.contains("guard.skipped: [6] turns this check off")
    }
    #expect(try folder.publishedSteps() == [])
    let list = keys + ["guard.skipped=[6]"]
    #expect(try folder.attempt(poisoned: [6: .infinity], list) == .finished)
  }

  // MARK: Rollback

  private var rollback: [String] {
    [
      "steps=40", "guard.onSpike=rollback", "guard.rollbackSteps=12", "checkpoint.every=10",
      "evaluate.every=8",
    ]
  }

  /// Step 30 diverges, so that steps 18 to 30 are skipped.
  private var poison: [Int: Float] { [30: .nan] }

  @Test func aRollbackSkipsTheBatchesThatLedToTheSpike() throws {
    let recorder = Recorder()
    #expect(try folder.attempt(poisoned: poison, rollback, recorder: recorder) == .finished)
    let weights = try folder.weights(step: 40)
    let record = try #require(try record(folder))
    #expect(record.text == "18-30" && record.rollbacks == 1)
    #expect(
      record.entries[0].reason == "undone, because the run diverged at step 30: its loss is nan")
    onRoot {
      let events = recorder.sentences(.warning) + recorder.sentences(.note)
      for words in [
        "the run diverged: its loss is nan; it goes back to",
        "step-00000010, and the batches of steps "
          + "18-30 are skipped (rollback 1, and guard.limit is 5)",
        "1 checkpoint of undone steps removed: 20", "skipped 18-30: undone",
        "13 of 40 steps skipped, with 1 rollback; guard.skipped: [18-30] repeats this",
      ] { #expect(events.contains { $0.contains(words) }, "\(words): \(events)") }
    }
    let lines = try history(folder)
    #expect(lines.filter { $0.hasPrefix("step 18.0") } == [])
    #expect(lines.count { $0.hasPrefix("step 30.0 loss - validationLoss -") } == 1)
    let repeated = try SharedFolder(world)
    try repeated.attempt(["steps=40", "evaluate.every=8", "guard.skipped=[18-30]"])
    #expect(try repeated.weights(step: 40) == weights)
    #expect(
      try history(repeated).filter { !$0.contains("guard.skipped") }
        == lines.filter { !$0.contains("undone") })
  }

  /// The same configuration decides the same on any ranks, and whatever checkpoints there are.
  @Test(arguments: ["checkpoint.every=7", "checkpoint.every=0", "checkpoint.every=1"])
  func aRollbackDependsOnNoCheckpoint(every: String) throws {
    try folder.attempt(poisoned: poison, rollback)
    let alone = try SharedFolder(world.split(color: world.rank))
    let keys = rollback + [every, "checkpoint.keep=1"]
    let recorder = Recorder { _ in usleep(5000) }
    #expect(
      try alone.attempt(poisoned: poison, keys, threads: 2, recorder: recorder) == .finished)
    // Retention keeps a checkpoint to go back to, where there was one.
    let isAtStart = recorder.sentences(.warning).contains { $0.contains("goes back to its start") }
    #expect(isAtStart == (every == "checkpoint.every=0"))
    #expect(try alone.weights(step: 40) == folder.weights(step: 40))
    #expect(try SkipFile(in: alone.run)?.record == record(folder))
  }

  /// A stop before the spike, at a step that is then undone, and one after the rollback.
  @Test(arguments: [14, 24, 29, 33])
  func anInterruptedRunRollsBackToTheSameStep(step: Int) throws {
    try folder.attempt(poisoned: poison, rollback)
    let other = try SharedFolder(world)
    let keys = rollback + ["checkpoint.keep=1"]
    let stopped = try other.attempt(poisoned: poison, keys, recorder: requesting(SIGTERM, at: step))
    #expect(stopped != .finished)
    #expect(try other.attempt(poisoned: poison, keys) == .finished)
    #expect(try other.weights(step: 40) == folder.weights(step: 40))
    #expect(try record(other) == record(folder))
    #expect(try history(other) == history(folder))
  }

  /// Runs to step 33, where every rank ends without a checkpoint after the rollback.
  private func crash(_ folder: SharedFolder, _ keys: [String]) throws {
    #expect(throws: MonitoringError.self) {
      try folder.attempt(
        poisoned: poison, keys,
        recorder: Recorder { (step) throws(MonitoringError) in
          usleep(20_000)
          if step == 33 { throw .storage(.call(operation: "crash", path: "here", code: EIO)) }
        })
    }
    #expect(try folder.run.checkpoints.publishedSteps() == [17])
  }

  /// The cause does not come again, as that of a fault of the machine: the record still holds.
  ///
  /// Every rank runs alone, because an error of one observer would leave the others waiting.
  @Test func theRecordHoldsAfterACrash() throws {
    try folder.attempt(poisoned: poison, rollback)
    let alone = try world.split(color: world.rank)
    let other = try SharedFolder(alone)
    let keys = rollback + ["checkpoint.every=17"]
    try crash(other, keys)
    #expect(try other.attempt(keys) == .finished)
    #expect(try other.weights(step: 40) == folder.weights(step: 40))
    #expect(try history(other) == history(folder))
    // Under other settings the steps after the checkpoint are judged again.
    let changed = try SharedFolder(alone)
    try crash(changed, keys)
    let recorder = Recorder()
    try changed.attempt(keys + ["optimizer.learningRate=1e-4"], recorder: recorder)
    #expect(recorder.seen.steps.map(\.step) == Array(18...40))
    #expect(try record(changed) == nil)
    // A record that cannot be read is reported, and the steps are judged again.
    let damaged = try SharedFolder(alone)
    try crash(damaged, keys)
    try damaged.run.write(Array("{".utf8), as: SkipFile.name)
    let again = Recorder()
    try damaged.attempt(poisoned: poison, keys, recorder: again)
    #expect(again.sentences(.warning).contains { $0.contains("skipped.json cannot be read") })
    #expect(try damaged.weights(step: 40) == folder.weights(step: 40))
  }

  @Test func rollbacksAreBounded() throws {
    let poison = Dictionary(uniqueKeysWithValues: (20...40).map { ($0, Float.nan) })
    let keys = rollback + ["guard.limit=2", "guard.rollbackSteps=3"]
    let recorder = Recorder()
    #expect {
      try folder.attempt(poisoned: poison, keys, recorder: recorder)
    } throws: {
      let diverged = $0 as? DivergenceGuard.Diverged
      return diverged?.step == 22
        && diverged?.reason
          == "its loss is nan, after 2 rollbacks, the most that guard.limit allows"
    }
    #expect(try record(folder)?.text == "14-21" && record(folder)?.rollbacks == 2)
    #expect(try folder.publishedSteps().allSatisfy { $0 <= 13 })
    onRoot {
      #expect(recorder.sentences(.warning).count { $0.contains("it goes back to") } == 2)
    }
  }

  /// A loss far above its mean must last; the first of these steps is the spike.
  @Test func aLastingSpikeIsUndoneFromItsFirstStep() throws {
    let high = Dictionary(uniqueKeysWithValues: (40...42).map { ($0, Float(50)) })
    let keys = [
      "steps=60", "guard.onSpike=rollback", "guard.rollbackSteps=4", "checkpoint.every=5",
      "batch.sequences=16", "optimizer.learningRate=1e-4",
    ]
    try folder.attempt(poisoned: high, keys)
    #expect(try record(folder)?.text == "36-42")
  }

  /// An iteration is undone and skipped as a whole.
  @Test func aRollbackSkipsWholeIterations() throws {
    let recorder = Recorder()
    try folder.attempt(
      poisoned: poison, rollback, stepsPerIteration: 4, recorder: recorder)
    #expect(try record(folder)?.text == "17-32")
    let repeated = try SharedFolder(world)
    try repeated.attempt(
      poisoned: [:], ["steps=40", "guard.skipped=[17-32]"], stepsPerIteration: 4)
    #expect(try repeated.weights(step: 40) == folder.weights(step: 40))
    #expect {
      try repeated.attempt(
        poisoned: [:], ["steps=40", "guard.skipped=[17-30]"], stepsPerIteration: 4, resume: .never)
    } throws: {
      // Rank 0 alone has the sentence.
      let sentence = "\($0)"
      return world.rank != 0
        || sentence.contains("17-30 is not a range of whole rollout iterations")
    }
  }

  /// The run begins with the checkpoint of another one, to which alone it can go back.
  @Test func aRunGoesBackToTheCheckpointOfAnotherRun() throws {
    try folder.attempt("steps=8")
    let start = folder.run.checkpoint(step: 8)
    let other = try SharedFolder(world)
    let keys = ["steps=20", "guard.onSpike=rollback", "checkpoint.every=4", "checkpoint.keep=1"]
    try other.attempt(poisoned: [13: .nan], keys, resume: .path(start))
    #expect(try record(other)?.text == "9-13")
    let repeated = try SharedFolder(world)
    try repeated.attempt(
      ["steps=20", "guard.skipped=[9-13]"], resume: .path(start))
    #expect(try repeated.weights(step: 20) == other.weights(step: 20))
  }

  /// Evaluations of undone steps do not count, and skipped steps are no evaluations without progress.
  @Test func undoneEvaluationsDoNotStopARunEarly() throws {
    let keys =
      rollback + ["evaluate.every=2", "checkpoint.keepBest=true", "earlyStopping.patience=4"]
    let recorder = Recorder()
    try folder.attempt(poisoned: poison, keys, recorder: recorder)
    let repeated = Recorder()
    let other = try SharedFolder(world)
    try other.attempt(
      [
        "steps=40", "guard.skipped=[18-30]", "evaluate.every=2", "checkpoint.keepBest=true",
        "earlyStopping.patience=4",
      ], recorder: repeated)
    onRoot {
      let losses = [recorder, repeated].map { recorder in
        recorder.seen.evaluations.filter { $0.step > 30 }.map { "\($0.step) \($0.validationLoss)" }
      }
      #expect(losses[0] == losses[1] && !losses[0].isEmpty)
      #expect(recorder.seen.steps.last?.step == repeated.seen.steps.last?.step)
    }
  }
}
