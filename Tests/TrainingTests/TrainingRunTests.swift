import Checkpoints
import Files
import Foundation
import Glibc
import MPI
import Monitoring
import TestWorld
import Testing

@testable import Training

/// Whole runs in this process, on the ranks of the tests.
@Suite(.serialized, .worldInTurn) struct TrainingRunTests {
  let world: Communicator
  let folder: SharedFolder

  init() throws {
    world = try SharedWorld.communicator()
    folder = try SharedFolder(world)
  }

  /// Runs `check` on rank 0, whose recorder alone receives reports.
  func onRoot(_ check: () throws -> Void) rethrows {
    if world.rank == 0 { try check() }
  }

  /// A recorder that sends `signal` to this process when rank 0 reports `step`.
  ///
  /// It does not use `raise`: the threads of Swift's concurrency block signals, so that another
  /// thread must receive it.
  func requesting(_ signal: Int32, at step: Int) -> Recorder {
    Signals.prepare(rank: 0)
    return Recorder {
      guard $0 == step else { return }
      kill(getpid(), signal)
      usleep(50_000)
    }
  }

  private func stepsInMetrics() throws -> [Int] {
    let lines = try String(contentsOfFile: folder.run.metrics, encoding: .utf8).split(
      separator: "\n")
    return try lines.compactMap { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return object?["loss"] == nil ? nil : object?["step"] as? Int
    }
  }

  @Test func reportsFollowTheSchedule() throws {
    let recorder = Recorder()
    #expect(try folder.attempt(recorder: recorder) == .finished)
    try onRoot {
      let schedule = try plan([]).schedule
      #expect(recorder.seen.steps.map(\.step) == Array(1...12))
      #expect(recorder.seen.steps.map(\.learningRate) == (0..<12).map { schedule.rate(at: $0) })
      #expect(recorder.seen.steps.map(\.tokensSeen) == (1...12).map { $0 * 128 })
      #expect(recorder.seen.steps[11].loss < recorder.seen.steps[0].loss)
      #expect(recorder.seen.evaluations.map(\.step) == [12])
      #expect(recorder.seen.isFinished)
      #expect(recorder.sentences(.finished)[0].contains(folder.run.checkpoint(step: 12)))
    }
    #expect(try folder.publishedSteps() == [12])
    #expect(try folder.leftovers() == [])
    #expect(try stepsInMetrics() == Array(1...12))
  }

  @Test func fastReductionHasAboutTheLossesOfExact() throws {
    let other = try SharedFolder(world)
    let (exact, fast) = (Recorder(), Recorder())
    try folder.attempt(recorder: exact)
    try other.attempt("reduction=fast", recorder: fast)
    onRoot {
      let losses = [exact, fast].map { $0.seen.steps.map(\.loss) }
      #expect(losses[1].count == 12 && losses[1][11] < losses[1][0])
      for (exact, fast) in zip(losses[0], losses[1]) {
        #expect(abs(fast - exact) < 1e-3 * exact, "\(fast) and \(exact)")
      }
    }
  }

  @Test(arguments: [1, 2])
  func anInterruptedRunEndsAtTheSameWeights(threads: Int) throws {
    let whole = try SharedFolder(world)
    try whole.attempt()
    // Rank 0 gets the signal at step 5, tells all ranks with step 6, and all stop after it.
    let stopped = try folder.attempt(threads: threads, recorder: requesting(SIGTERM, at: 5))
    #expect(stopped == .stopped(step: 6))
    #expect(try folder.publishedSteps() == [6])
    let recorder = Recorder()
    #expect(try folder.attempt(recorder: recorder) == .finished)
    onRoot {
      #expect(recorder.seen.steps.map(\.step) == Array(7...12))
      #expect(recorder.sentences(.resumed).count == 1)
      #expect(recorder.sentences(.warning) == [])
    }
    #expect(try folder.weights(step: 12) == whole.weights(step: 12))
    #expect(try stepsInMetrics() == Array(1...12))
  }

  /// Neither the time nor the operations of evaluations and saves between the steps count.
  @Test func aProfileCountsOnlyItsSteps() throws {
    let other = try SharedFolder(world)
    // The four evaluations between the five steps take two seconds.
    let (plain, busy) = (Recorder(), Recorder(pause: 500_000))
    try folder.attempt(recorder: plain, profiles: true)
    try other.attempt(
      "evaluate.every=1", "evaluate.tokens=4096", "checkpoint.every=1", recorder: busy,
      profiles: true)
    try onRoot {
      let operations = try [plain, busy].map { recorder in
        let profile = try #require(recorder.seen.profiles.first)
        #expect(recorder.seen.profiles.count == 1 && profile.steps == 3...7)
        let seconds = recorder.seen.steps[2..<7].reduce(0) { $0 + $1.secondsPerStep }
        #expect(profile.seconds >= seconds && profile.seconds < seconds + 1)
        return profile.lanes.map { $0.spans.reduce(0) { $0 + $1.operations } }
      }
      #expect(operations[0] == operations[1])
      // Step lines and profile refer to the same peak.
      let step = plain.seen.steps[11]
      let share = try #require(step.peakFraction)
      let peak = try #require(plain.seen.profiles.first).peak.products * Double(world.size)
      #expect(share > 0 && share <= 1)
      // A step that is faster than the benchmark becomes the peak of the later ones.
      if let fastest = plain.seen.steps[..<12].last(where: { $0.peakFraction == 1 }) {
        let ratio = fastest.secondsPerStep / step.secondsPerStep
        #expect(abs(share - ratio) < 1e-6 * ratio)
        return
      }
      let all = share * peak * step.secondsPerStep
      let own = operations[0].reduce(0, +) / 5
      // Rank 0 computes at least one micro-batch.
      let most = Double(world.size == 1 ? 1 : try plan([]).microBatches)
      #expect(all > 0.999 * own && all < 1.001 * own * most, "\(all) and \(own)")
      // Every token of a full window passes through all products.
      let expected = 6 * (try plan([]).model.macsPerToken) * Double(step.tokens)
      #expect(abs(all - expected) < 0.2 * expected, "\(all) and \(expected)")
    }
  }

  @Test func aProfileEndsWithARunThatIsStopped() throws {
    let recorder = requesting(SIGTERM, at: 4)
    let stopped = try folder.attempt(recorder: recorder, profiles: true)
    #expect(stopped == .stopped(step: 5))
    onRoot { #expect(recorder.seen.profiles.map(\.steps) == [3...5]) }
  }

  @Test func aFinishedRunTakesNoFurtherSteps() throws {
    try folder.attempt()
    let weights = try folder.weights(step: 12)
    let recorder = Recorder()
    #expect(try folder.attempt(recorder: recorder) == .finished)
    onRoot { #expect(recorder.seen.steps.isEmpty) }
    #expect(try folder.weights(step: 12) == weights)
  }

  @Test func aRequestToSaveDoesNotEndTheRun() throws {
    let recorder = requesting(SIGUSR1, at: 3)
    #expect(try folder.attempt(recorder: recorder) == .finished)
    #expect(try folder.publishedSteps() == [4, 12])
    onRoot { #expect(recorder.seen.steps.count == 12) }
  }

  @Test func theBestCheckpointHasTheStepOfTheBestEvaluation() throws {
    let recorder = Recorder()
    try folder.attempt(
      "evaluate.every=2", "checkpoint.every=1", "checkpoint.keep=1", "checkpoint.keepBest=true",
      recorder: recorder)
    try world.barrier()
    let last = try Checkpoint(verifying: folder.run.checkpoint(step: 12))
    let best = try #require(TrainingState(from: last).best)
    #expect(try folder.publishedSteps().contains(best.step))
    try onRoot {
      let losses = recorder.seen.evaluations.map { ($0.validationLoss, $0.step) }
      #expect(best.step == losses.min { $0 < $1 }?.1)
      // Every improvement was saved at its own step.
      for report in recorder.seen.evaluations where report.isBest {
        #expect(
          recorder.seen.events.contains { $0.kind == .checkpointSaved && $0.step == report.step })
      }
      try #require(!losses.isEmpty)
    }
  }

  @Test func resumingFromAnEarlierStepSetsLaterCheckpointsAside() throws {
    try folder.attempt("checkpoint.keep=9", recorder: requesting(SIGUSR1, at: 3))
    #expect(try folder.publishedSteps() == [4, 12])
    let start = folder.run.checkpoint(step: 4)
    try folder.attempt(
      "seed=1", "steps=8", "checkpoint.keep=1", resume: .path(start), recorder: Recorder())
    // Retention counts this history only, and automatic resumption finds it.
    #expect(try folder.publishedSteps() == [8])
    let recorder = Recorder()
    try folder.attempt("steps=9", recorder: recorder)
    onRoot { #expect(recorder.seen.steps.map(\.step) == [9]) }
  }

  @Test func startingOverSetsCheckpointsAndMetricsAside() throws {
    try folder.attempt()
    let weights = try folder.weights(step: 12)
    let recorder = Recorder()
    try folder.attempt(resume: .never, recorder: recorder)
    #expect(try folder.weights(step: 12) == weights)
    try onRoot {
      let note = try #require(recorder.sentences(.note).first { $0.contains("before-") })
      let aside = try #require(note.split(separator: " ").last.map(String.init))
      let names = try FileManager.default.contentsOfDirectory(atPath: aside).sorted()
      #expect(names == ["metrics.jsonl", "step-00000012"])
      #expect(recorder.seen.steps.first?.step == 1)
    }
  }

  @Test func anotherModelIsRefusedAndNoFileChanges() throws {
    try folder.attempt()
    let weights = try folder.weights(step: 12)
    let configuration = try String(contentsOfFile: folder.run.configuration, encoding: .utf8)
    let holder = try folder.holder()
    // Another vocabulary or corpus would also change the shards, which a running attempt reads.
    for change in ["model.width=32", "model.vocabulary=300", "optimizer.name=sgd"] {
      #expect(throws: RankFailure.self, "\(change)") { try folder.attempt(change) }
      try world.barrier()
    }
    #expect(throws: RankFailure.self) {
      try folder.attempt("model.family=llama", resume: .path(folder.run.checkpoint(step: 12)))
    }
    try world.barrier()
    #expect(try folder.holder() == holder)
    #expect(try folder.publishedSteps() == [12])
    #expect(try folder.weights(step: 12) == weights)
    #expect(
      try String(contentsOfFile: folder.run.configuration, encoding: .utf8) == configuration)
  }

  /// Another attempt publishes a checkpoint after this one locates its own and before it claims the
  /// folder.
  @Test func aRunResumesFromTheNewestCheckpointAtItsClaim() throws {
    try folder.attempt("steps=4")
    let candidate = try #require(
      try Resumption.locate(.auto, for: plan([]), in: folder.run, world: world))
    #expect(candidate.path == folder.run.checkpoint(step: 4))
    try folder.attempt("steps=6")
    try world.barrier()
    let observers = RunObservers([])
    let claimed = try Resumption.claim(
      .auto, candidate: candidate, in: folder.run, attempt: "a", world: world,
      observers: observers)
    #expect(claimed.start?.step == 6 && claimed.number == 3)
    try world.barrier()
    let newest = try Resumption.locate(.auto, for: plan([]), in: folder.run, world: world)
    #expect(
      try Resumption.claim(
        .auto, candidate: newest, in: folder.run, attempt: "b", world: world,
        observers: observers
      ).start == claimed.start)
    // Every rank reads the checkpoint: nothing is removed before all have.
    try world.barrier()
    // A candidate that is gone must not silently become a start at step 0.
    try onRoot {
      for step in [4, 6] {
        try FileManager.default.removeItem(atPath: folder.run.checkpoint(step: step))
      }
      let alone = try world.split(color: 0)
      #expect(throws: RankFailure.self) {
        try Resumption.claim(
          .auto, candidate: candidate, in: folder.run, attempt: "c", world: alone,
          observers: observers)
      }
    }
    if world.rank != 0 { _ = try world.split(color: 1) }
  }

  /// At a learning rate of zero no evaluation is better than the one before it.
  @Test func theBestEvaluationOfAnotherRunDoesNotCount() throws {
    let other = try SharedFolder(world)
    try other.attempt("evaluate.every=2", "checkpoint.keepBest=true")
    try world.barrier()
    let still = { [folder] (steps: Int, resume: TrainingRun.Resume) in
      try folder.attempt(
        "steps=\(steps)", "optimizer.learningRate=0", "schedule.final=0", "evaluate.every=2",
        "checkpoint.keep=1", "checkpoint.keepBest=true", resume: resume)
    }
    _ = try still(16, .path(other.run.checkpoint(step: 12)))
    // The first evaluation of this run is its best, and kept.
    #expect(try folder.publishedSteps() == [14, 16])
    // Its own best stays, also when it is named by its path.
    _ = try still(18, .auto)
    #expect(try folder.publishedSteps() == [14, 18])
    _ = try still(20, .path(folder.run.checkpoint(step: 18)))
    #expect(try folder.publishedSteps() == [14, 20])
  }

  @Test func keysWithoutEffectOnABuiltDatasetAreReported() throws {
    try folder.attempt()
    let other = try SharedFolder(world)
    let built = "data.train=[\(folder.run.data)]"
    let notes = { (overrides: [String]) in
      let recorder = Recorder()
      try other.attempt([built, "steps=1"] + overrides, resume: .never, recorder: recorder)
      return recorder.sentences(.note).filter { $0.contains("has no effect") }
    }
    // `smallRun` has the dataset's own fraction, 0.2.
    let silent = try notes([])
    let noted = try notes(["data.validation=0.3", "data.textField=body"])
    onRoot {
      #expect(silent == [])
      #expect(noted.count == 2 && noted[0].contains("data.textField"), "\(noted)")
      #expect(noted.last?.contains("data.validation") == true && noted[0].contains(folder.run.data))
    }
  }

  @Test func changedSettingsAreReportedOnResume() throws {
    try folder.attempt("steps=4")
    try folder.write(corpus: 500)
    let recorder = Recorder()
    try folder.attempt("steps=6", "seed=8", "optimizer.betas=[0.9, 0.95]", recorder: recorder)
    try onRoot {
      let warning = try #require(recorder.sentences(.warning).first)
      let changes = warning.split(separator: ": ").last?.components(separatedBy: "; ") ?? []
      #expect(
        changes.prefix(3)
          == ["optimizer.betas [0.9, 0.99] → [0.9, 0.95]", "seed 1 → 8", "steps 4 → 6"])
      #expect(changes.count == 4 && changes[3].hasPrefix("training tokens "), "\(warning)")
    }
  }

  /// A key that a later release added is not in the checkpoints of an earlier one.
  @Test func settingsThatACheckpointLacksAreNotCompared() throws {
    try folder.attempt("steps=4")
    try world.barrier()
    try onRoot {
      let checkpoint = try Checkpoint(verifying: folder.run.checkpoint(step: 4))
      var state = try TrainingState(from: checkpoint)
      let former = ["optimizer.learningRate", "optimizer.betas", "schedule.warmup"]
      for name in former { state.settings[name] = nil }
      state.settings["optimizer"] = "AdamW(beta1: 0.9, beta2: 0.99)"
      try Data(try state.encoded()).write(
        to: URL(fileURLWithPath: try checkpoint.path(of: "state.json")))
      let store = CheckpointStore(path: "\(folder.path)/former")
      let draft = try store.draft(step: 4, attempt: "former")
      var records: [FileRecord] = []
      for file in checkpoint.manifest.files {
        var copy = try draft.file(file.name)
        try copy.write(
          [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(checkpoint.path)/\(file.name)"))))
        records.append(try copy.close())
      }
      _ = try draft.publish(files: records)
    }
    try world.barrier()
    let recorder = Recorder()
    try folder.attempt(
      "steps=6", "schedule.warmup=3", resume: .path("\(folder.path)/former/step-00000004"),
      recorder: recorder)
    try onRoot {
      let warning = try #require(recorder.sentences(.warning).first)
      #expect(warning.hasSuffix(": steps 4 → 6"), "\(warning)")
    }
  }

  @Test func aWarmupLongerThanTheRunIsReported() throws {
    let recorder = Recorder()
    try folder.attempt("steps=2", "schedule.warmup=3", recorder: recorder)
    try onRoot {
      let warning = try #require(recorder.sentences(.warning).first)
      for word in ["0.001", "schedule.warmup", "3 steps", "the run 2"] {
        #expect(warning.contains(word), "\(warning)")
      }
    }
  }

  /// A warm-up that takes all steps but the last leaves none for the decay.
  @Test func aScheduleThatDoesNotDecayIsReported() throws {
    for (settings, isReported) in [
      (["schedule.warmup=3"], true), (["schedule.warmup=2"], false),
      (["schedule.warmup=3", "schedule.name=constant"], false),
    ] {
      let recorder = Recorder()
      let name = settings.joined(separator: "-")
      try folder.attempt(["steps=4", "run=\(folder.path)/\(name)"] + settings, recorder: recorder)
      onRoot {
        let warnings = recorder.sentences(.warning).filter { $0.contains("does not decay") }
        #expect(warnings.count == (isReported ? 1 : 0), "\(settings): \(warnings)")
        #expect(warnings.allSatisfy { $0.contains("schedule.warmup has 3 steps and the run 4") })
      }
    }
  }

  /// On one rank, because the others would wait forever.
  @Test func aFailingObserverEndsTheRunWithoutDamage() throws {
    let alone = try SharedFolder(world.split(color: world.rank))
    let failure = MonitoringError.storage(.call(operation: "write", path: "m", code: ENOSPC))
    #expect(throws: failure) {
      try alone.attempt(
        "checkpoint.every=2",
        recorder: Recorder { (step) throws(MonitoringError) in if step == 7 { throw failure } })
    }
    #expect(try alone.attempt() == .finished)
    try folder.attempt()
    #expect(try alone.weights(step: 12) == folder.weights(step: 12))
  }
}
