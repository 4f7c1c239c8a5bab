import Checkpoints
import Foundation
import Glibc
import MPI
import Monitoring
import TestWorld
import Testing

@testable import DataParallel
@testable import Faults
@testable import Training

/// Whole runs with `sync: diloco` on the ranks of the tests, or as many of them as can be divided over the
/// workers.
@Suite(.serialized, .worldInTurn) struct DiLoCoRunTests {
  /// The ranks that run together.
  private let world: Communicator
  private let folder: SharedFolder
  /// Four rounds.
  private let keys = ["sync=diloco", "diloco.workers=2", "diloco.innerSteps=3"]

  init() throws {
    world = try DiLoCoGoldenTests.evenRanks()
    folder = try SharedFolder(world)
  }

  private func onRoot(_ check: () throws -> Void) rethrows {
    if world.rank == 0 { try check() }
  }

  /// The run of this rank alone.
  private func alone(_ overrides: [String], threads: Int = 1) throws -> (SharedFolder, Recorder) {
    let folder = try SharedFolder(world.split(color: world.rank))
    let recorder = Recorder()
    #expect(try folder.attempt(overrides, threads: threads, recorder: recorder) == .finished)
    return (folder, recorder)
  }

  /// Returns the hashes of all files of a checkpoint that do not depend on the number of ranks.
  private func hashes(_ folder: SharedFolder, step: Int) throws -> [String: String] {
    let checkpoint = try Checkpoint(verifying: folder.run.checkpoint(step: step))
    let files = checkpoint.manifest.files.filter { !$0.name.hasPrefix("optimizer-") }
    return Dictionary(uniqueKeysWithValues: files.map { ($0.name, $0.sha256) })
  }

  /// The weights, the state, all losses and norms: of any number of ranks those of one.
  @Test(arguments: [(2, 1), (2, 2), (4, 1), (4, 2), (1, 2)])
  func runsHaveTheSameBits(workers: Int, threads: Int) throws {
    let keys = keys + ["diloco.workers=\(workers)"]
    let (single, expected) = try alone(keys)
    let recorder = Recorder()
    #expect(try folder.attempt(keys, threads: threads, recorder: recorder) == .finished)
    try world.barrier()
    try onRoot {
      #expect(recorder.seen.steps.map(\.step) == Array(1...12))
      let figures = [recorder, expected].map { recorder in
        recorder.seen.steps.map { [$0.loss, $0.gradientNorm, Double($0.tokens)] }
      }
      #expect(figures[0] == figures[1])
      let outer = [recorder, expected].map { $0.seen.steps.flatMap(\.figures).map(\.value) }
      #expect(outer[0].count == 4 && outer[0] == outer[1])
      let validation = [recorder, expected].map { $0.seen.evaluations.map(\.validationLoss) }
      #expect(validation[0].count == 1 && validation[0] == validation[1])
      #expect(recorder.sentences(.warning) == [])
      let (ours, theirs) = (try hashes(folder, step: 12), try hashes(single, step: 12))
      #expect(ours == theirs)
    }
  }

  /// The workers have weights of their own: the losses after the first step differ from those of ranks
  /// that agree after every step, and the model learns.
  @Test func workersTrainByThemselves() throws {
    let (exact, diloco) = (Recorder(), Recorder())
    let other = try SharedFolder(world)
    try other.attempt("model.dropout=0", recorder: exact)
    try folder.attempt(keys + ["model.dropout=0"], recorder: diloco)
    onRoot {
      let losses = [exact, diloco].map { $0.seen.steps.map(\.loss) }
      #expect(abs(losses[0][0] - losses[1][0]) < 1e-9)
      #expect(losses[0][1] != losses[1][1])
      #expect(losses[1][11] < losses[1][0])
      #expect(
        exact.seen.steps.map(\.learningRate) == diloco.seen.steps.map(\.learningRate))
      #expect(exact.seen.steps.map(\.tokensSeen) == diloco.seen.steps.map(\.tokensSeen))
    }
  }

  /// One worker whose outer step ends at its own weights: θ − (θ − θ′) is θ′ up to its rounding.
  @Test func aSingleWorkerTrainsAsWithoutDiLoCo() throws {
    let (exact, diloco) = (Recorder(), Recorder())
    let other = try SharedFolder(world)
    try other.attempt(recorder: exact)
    try folder.attempt(
      keys + ["diloco.workers=1", "diloco.outerLearningRate=1", "diloco.outerMomentum=0"],
      recorder: diloco)
    onRoot {
      let losses = [exact, diloco].map { $0.seen.steps.map(\.loss) }
      #expect(losses[0][..<3] == losses[1][..<3])
      for (exact, diloco) in zip(losses[0], losses[1]) {
        #expect(abs(diloco - exact) < 1e-5 * exact, "\(diloco) and \(exact)")
      }
    }
  }

  /// Saves, evaluations and stops wait for the end of a round.
  @Test func checkpointsAndEvaluationsAreAtTheEndsOfRounds() throws {
    let recorder = Recorder()
    try folder.attempt(
      keys + ["checkpoint.every=2", "checkpoint.keep=9", "evaluate.every=4"], recorder: recorder)
    #expect(try folder.publishedSteps() == [3, 6, 9, 12])
    #expect(try folder.leftovers() == [])
    onRoot { #expect(recorder.seen.evaluations.map(\.step) == [6, 9, 12]) }
  }

  /// A request during the second step of a round is heard at its end, not at that of the next one.
  @Test func aRequestToStopWaitsForTheEndOfTheRound() throws {
    let whole = try alone(keys).0
    Signals.prepare(rank: 0)
    defer { FaultSchedule.set([], rank: 0) }
    var pause = InjectedFault(action: .delay(1))
    (pause.step, pause.rank) = (5, 0)
    FaultSchedule.set([pause], rank: world.rank)
    let requester = Recorder {
      guard $0 == 3 else { return }
      _ = Threads.start(core: nil) {
        usleep(300_000)
        kill(getpid(), SIGTERM)
      }
    }
    #expect(try folder.attempt(keys, recorder: requester) == .stopped(step: 6))
    #expect(try folder.publishedSteps() == [6])
    let recorder = Recorder()
    #expect(try folder.attempt(keys, recorder: recorder) == .finished)
    try world.barrier()
    try onRoot {
      #expect(recorder.seen.steps.map(\.step) == Array(7...12))
      #expect(recorder.sentences(.warning) == [])
      let (ours, theirs) = (try hashes(folder, step: 12), try hashes(whole, step: 12))
      #expect(ours == theirs)
    }
  }

  /// A run continues on one rank, and from one rank, with the bits of an uninterrupted one.
  @Test(arguments: [2, 4]) func aRunContinuesOnAnotherNumberOfRanks(workers: Int) throws {
    // The schedule must be that of the whole run.
    let keys = keys + ["diloco.workers=\(workers)", "schedule.name=constant"]
    let whole = try alone(keys).0
    try folder.attempt(keys + ["steps=6"])
    try world.barrier()
    let own = try world.split(color: world.rank == 0 ? 0 : 1)
    if world.rank == 0 {
      let phase = try phase(
        ["run=\(folder.run.path)", "data.train=[\(folder.corpus)]"] + keys + ["steps=9"])
      _ = try TrainingRun(
        phase, world: own, workers: .init(threads: 2, cores: nil), resume: .auto,
        observer: Recorder(), version: "test"
      ).run()
    }
    try world.barrier()
    try folder.attempt(keys)
    try world.barrier()
    try onRoot {
      let ours = try hashes(folder, step: 12)
      #expect(try ours["model.safetensors"] == hashes(whole, step: 12)["model.safetensors"])
      let checkpoint = try Checkpoint(verifying: folder.run.checkpoint(step: 12))
      #expect(
        try OptimizerFiles.stateNames(in: checkpoint)
          == Set(
            (0..<workers).flatMap { ["m.worker-\($0)", "v.worker-\($0)"] } + ["outer.momentum"])
      )
    }
  }

  /// State of other workers, or of none, is not a state of this run.
  @Test func otherWorkersAreRefused() throws {
    try folder.attempt(keys)
    for other in [keys + ["diloco.workers=4"], keys + ["diloco.workers=1"], []] {
      #expect(throws: RankFailure.self, "\(other)") { try folder.attempt(other) }
      try world.barrier()
    }
    let exact = try SharedFolder(world)
    try exact.attempt()
    #expect(throws: RankFailure.self) { try exact.attempt(keys) }
    #expect(try folder.publishedSteps() == [12] && exact.publishedSteps() == [12])
  }

  /// Refused on a world of three ranks, run on every other one.
  @Test func ranksThatCannotBeDividedAreRefused() throws {
    let all = try SharedWorld.communicator()
    let folder = try SharedFolder(all)
    if all.size == 3 {
      let refusal = StartRefusal.ranksOfWorkers(ranks: 3, workers: 2)
      do {
        try folder.attempt(keys)
        Issue.record("three ranks were not refused")
      } catch let failure as RankFailure {
        if all.rank == failure.rank { #expect(failure.error as? StartRefusal == refusal) }
      }
      // Rank 0 removes what the start has created.
      try all.barrier()
      #expect(!FileManager.default.fileExists(atPath: folder.run.path))
    } else {
      #expect(try folder.attempt(keys) == .finished)
    }
    let plan = try plan(keys)
    #expect(throws: StartRefusal.ranksOfWorkers(ranks: 3, workers: 2)) { try plan.requireRanks(3) }
    try plan.requireRanks(6)
    #expect(
      StartRefusal.ranksOfWorkers(ranks: 3, workers: 2).description
        == "3 ranks cannot be divided over the 2 workers of sync: diloco (diloco.workers): start a "
        + "number of ranks that is a multiple or a divisor of 2")
  }

  /// A diverged round changes neither the global weights nor the checkpoints.
  @Test func aDivergedRoundIsNotSaved() throws {
    try folder.attempt(keys + ["steps=3"])
    let weights = try folder.weights(step: 3)
    #expect(throws: DivergenceGuard.Diverged.self) {
      try folder.attempt(keys + ["optimizer.learningRate=1e30", "optimizer.clip=0"])
    }
    #expect(try folder.publishedSteps() == [3])
    #expect(try folder.weights(step: 3) == weights)
  }

  /// A bit that flips in the weights of one rank of a group is found before the workers agree; one rank
  /// is a group of one worker here.
  @Test func changedWeightsInAGroupAreFound() throws {
    defer { FaultSchedule.set([], rank: 0) }
    var flip = InjectedFault(action: .flip(element: 5, bit: 20))
    (flip.phase, flip.step, flip.rank) = (.optimizer, 2, world.size - 1)
    FaultSchedule.set([flip], rank: world.rank)
    let keys = keys + ["diloco.workers=1"]
    if world.size == 1 {
      // A single rank has no other to be compared with.
      #expect(try folder.attempt(keys) == .finished)
    } else {
      let error = #expect(throws: CorruptedWeights.self) { try folder.attempt(keys) }
      // The weights after step 2 are those that step 3 reads.
      #expect(error?.step == 3 && error?.hasMajority == (world.size > 2))
      if world.size > 2 {
        #expect(
          error?.ranks.count == 1 && error?.ranks[0].hasPrefix("rank \(world.size - 1) on ") == true
        )
      }
    }
  }

  /// Ranks send the weights once per round, 2(N−1)/N of them, and nothing in its other steps.
  @Test func theBytesOfARoundAreThoseOfAStep() throws {
    let keys = keys + ["model.width=64", "diloco.workers=\(world.size)", "diloco.innerSteps=6"]
    let recorder = Recorder()
    try folder.attempt(keys, recorder: recorder)
    try onRoot {
      let weights = Double(4 * (try plan(keys).counts.trained))
      let bound = 2 * Double(world.size - 1) / Double(world.size) * weights
      for report in recorder.seen.steps {
        let bytes = Double(report.bytesSent)
        // The slices of the ranks are of whole blocks.
        #expect(report.step % 6 == 0 ? abs(bytes - bound) <= 0.1 * bound : bytes == 0, "\(bytes)")
      }
    }
  }
}
