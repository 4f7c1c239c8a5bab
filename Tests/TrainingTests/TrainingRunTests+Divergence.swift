import Glibc
import Testing

@testable import Training

/// Runs whose loss diverges, or is high for some steps.
extension TrainingRunTests {
  @Test func aDivergedRunKeepsTheLastGoodCheckpoint() throws {
    try folder.attempt("steps=4")
    let weights = try folder.weights(step: 4)
    for _ in 0..<2 {
      #expect(throws: DivergenceGuard.Diverged.self) {
        // A pause, so that every save is written before the next step.
        try folder.attempt(
          "optimizer.learningRate=1e6", "steps=40", "checkpoint.every=1",
          recorder: Recorder { _ in usleep(30_000) })
      }
      try world.barrier()
      #expect(try folder.publishedSteps() == [4])
      #expect(try folder.leftovers() == [])
    }
    #expect(try folder.attempt("steps=6") == .finished)
    #expect(try folder.weights(step: 4) == weights)
  }

  /// The first update destroys the weights: the loss stays finite, but its gradient is 0.
  @Test func destroyedWeightsAreNotKept() throws {
    #expect(throws: DivergenceGuard.Diverged.self) {
      try folder.attempt(
        "optimizer.learningRate=1e6", "steps=40", "checkpoint.every=1",
        recorder: Recorder { _ in usleep(30_000) })
    }
    try world.barrier()
    #expect(try folder.publishedSteps() == [])
  }

  @Test func aCheckpointWithAnInfiniteValidationLossIsNotKept() throws {
    #expect(throws: DivergenceGuard.Diverged.self) {
      try folder.attempt("optimizer.learningRate=1e38", "steps=1")
    }
    try world.barrier()
    #expect(try folder.publishedSteps() == [])
  }

  /// The guard is so strict that every loss after the first is too high.
  @Test func aSpikeAtTheLastStepKeepsTheCheckpointBefore() throws {
    #expect(try folder.attempt("steps=1") == .finished)
    let recorder = Recorder()
    let outcome = try folder.attempt(
      "steps=3", "guard.spike=0.05", "checkpoint.every=1", "checkpoint.keep=1", recorder: recorder)
    #expect(outcome == .finished)
    // The loss of step 3 evaluates step 2, which is discarded.
    #expect(try folder.publishedSteps() == [1, 3])
    onRoot {
      #expect(
        recorder.sentences(.warning).count { $0.contains("may have diverged: its loss") } == 1)
    }
  }

  @Test func duringASpikeNothingIsSaved() throws {
    let recorder = Recorder()
    #expect(throws: DivergenceGuard.Diverged.self) {
      try folder.attempt(
        "steps=40", "guard.spike=0.05", "checkpoint.every=30", recorder: recorder)
    }
    try world.barrier()
    #expect(try folder.publishedSteps() == [])
    onRoot {
      let skipped = recorder.sentences(.checkpointSkipped)
      #expect(skipped.count == 1 && skipped[0].contains("may have diverged: its loss"))
    }
  }

  @Test func aRequestToStopDuringASpikeStopsTheRunAfterIt() throws {
    // Losses of 5.527, 5.517, 5.471 …: only the second is above 0.994 × those before.
    let stopped = try folder.attempt("guard.spike=0.0994", recorder: requesting(SIGTERM, at: 1))
    #expect(stopped == .stopped(step: 3))
    #expect(try folder.publishedSteps() == [3])
  }

  @Test func aCheckpointThatIsDueDuringASpikeIsWrittenAfterIt() throws {
    // Only the loss of step 2 is too high.
    let outcome = try folder.attempt("steps=4", "guard.spike=0.0994", "checkpoint.every=2")
    #expect(outcome == .finished)
    #expect(try folder.publishedSteps() == [3, 4])
  }

  @Test func aDivergedRunIgnoresARequestToStop() throws {
    #expect(throws: DivergenceGuard.Diverged.self) {
      try folder.attempt("steps=40", "guard.spike=0.05", recorder: requesting(SIGTERM, at: 1))
    }
    try world.barrier()
    // The next run does not receive the request.
    #expect(try folder.attempt("steps=2") == .finished)
  }
}
