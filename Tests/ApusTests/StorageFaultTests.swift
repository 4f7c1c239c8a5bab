import Foundation
import Testing

/// Saves that fail: training continues, older checkpoints stay, and a run that can save nothing for
/// three intervals ends with code 5.
@Suite(.serialized) struct StorageFaultTests {
  private let run = ["pretrain", "run.yaml", "--threads", "1", "--set", "steps=40"]

  /// Runs `apus` with faults and compares the end with a run without them.
  private func train(
    _ program: Program, with fault: String, ranks: Int? = nil
  ) throws -> Program.Result {
    var faulty = program
    faulty.environment["APUS_FAULT"] = fault
    return try faulty.run(run + ["--set", "run=faulty"], ranks: ranks)
  }

  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: [
      ("fail=ENOSPC@rank=1,phase=write", "on rank 1: the disk or quota is full"),
      ("fail=EIO@rank=0,phase=publish,times=2", "on rank 0: cannot write"),
      ("fail=EDQUOT@rank=1,phase=snapshot; fail=EIO@rank=0,phase=snapshot", "on rank 0: cannot"),
    ])
  func trainingContinuesAfterAFailedSave(fault: String, reason: String) throws {
    try Program.withCorpus { program in
      #expect(try program.run(run + ["--set", "run=whole"]).code == 0)
      let result = try train(program, with: fault, ranks: 2)
      #expect(result.code == 0, "\(result.errors)")
      for word in [reason, "cannot be saved", "training continues, the next save is tried at step"]
      {
        #expect(result.errors.contains(word), "\(word): \(result.errors)")
      }
      #expect(program.hash("faulty", step: 40) == program.hash("whole", step: 40))
      #expect(program.metrics("faulty") == Array(1...40))
      #expect(program.names(in: "faulty/checkpoints").allSatisfy { !$0.hasSuffix(".tmp") })
    }
  }

  @Test func aRunThatCannotSaveEndsAfterThreeIntervals() throws {
    try Program.withCorpus { program in
      #expect(try program.run(run + ["--set", "run=faulty", "--set", "steps=6"]).code == 0)
      let safe = program.hash("faulty", step: 6)
      let result = try train(program, with: "fail=EIO@phase=write,times=1000")
      #expect(result.code == 5, "\(result.errors)")
      #expect(result.errors.contains("by step 18"), "\(result.errors)")
      #expect(result.errors.contains("apus: the checkpoint of step 1"), "\(result.errors)")
      #expect(safe != nil && program.hash("faulty", step: 6) == safe)
      #expect(program.steps("faulty").last == 6)
      // The next start trains on from there.
      #expect(try program.run(run + ["--set", "run=faulty"]).code == 0)
      #expect(program.metrics("faulty") == Array(1...40))
    }
  }

  /// The last save is tried three times, with pauses; then the run fails although it is trained.
  @Test func theLastSaveIsTriedAgain() throws {
    try Program.withCorpus { program in
      let saved = try train(program, with: "fail=ENOSPC@phase=publish,step=40,times=2")
      #expect(saved.code == 0, "\(saved.errors)")
      #expect(program.steps("faulty").last == 40)
      let more = run + ["--set", "run=faulty", "--set", "steps=44"]
      var faulty = program
      faulty.environment["APUS_FAULT"] = "fail=ENOSPC@step=44,phase=write,times=3"
      let failed = try faulty.run(more)
      #expect(failed.code == 5, "\(failed.errors)")
      #expect(failed.errors.contains("the checkpoint of step 44 cannot be saved"))
      #expect(try program.run(more).code == 0)
      #expect(program.steps("faulty").last == 44)
    }
  }

  /// The thread of the first save never returns: the run goes on without it, and ends.
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: ["rank=0,phase=write", "rank=1,phase=write", "rank=0,phase=snapshot"])
  func aWriteThatHangsIsLeftBehind(place: String) throws {
    try Program.withCorpus { program in
      #expect(try program.run(run + ["--set", "run=whole"]).code == 0)
      var faulty = program
      faulty.environment["APUS_FAULT"] = "delay=3600@\(place)"
      let result = try faulty.run(
        run + ["--set", "run=faulty", "--set", "watchdog.limit=1"], ranks: 2)
      #expect(result.code == 0, "\(result.errors)")
      for word in ["nothing could be written to", "for 1 seconds", "training continues"] {
        #expect(result.errors.contains(word), "\(word): \(result.errors)")
      }
      #expect(program.hash("faulty", step: 40) == program.hash("whole", step: 40))
      #expect(program.metrics("faulty") == Array(1...40))
    }
  }

  /// A thread that returns after the run has gone on publishes nothing, and removes its files.
  @Test func aWriteThatReturnsLatePublishesNothing() throws {
    try Program.withCorpus { program in
      #expect(try program.run(run + ["--set", "run=whole"]).code == 0)
      let slow = "delay=0.1@phase=optimizer,times=1000"
      var faulty = program
      faulty.environment["APUS_FAULT"] = "delay=2@phase=write,step=10; \(slow)"
      let result = try faulty.run(
        run + [
          "--set", "run=faulty", "--set", "watchdog.limit=1", "--set", "checkpoint.every=10",
          "--set", "checkpoint.keep=9",
        ])
      #expect(result.code == 0, "\(result.errors)")
      #expect(result.errors.contains("the checkpoint of step 10 cannot be saved"))
      #expect(
        !program.steps("faulty").contains(10) && program.steps("faulty").last == 40,
        "\(program.steps("faulty")) \(result.errors)")
      #expect(program.names(in: "faulty/checkpoints").allSatisfy { !$0.hasSuffix(".tmp") })
      #expect(program.hash("faulty", step: 40) == program.hash("whole", step: 40))
    }
  }

  @Test(arguments: [("write", 1.0), ("publish", 0.1)])
  func aLastSaveThatHangsEndsWithTheStoragesCode(phase: String, limit: Double) throws {
    try Program.withCorpus { program in
      var faulty = program
      faulty.environment["APUS_FAULT"] = "delay=3600@phase=\(phase),step=40"
      let result = try faulty.run(
        run + ["--set", "run=faulty", "--set", "watchdog.limit=\(limit)"], limit: 30)
      #expect(result.code == 5, "\(result.errors)")
      #expect(result.errors.contains("apus: the checkpoint of step 40 cannot be saved on rank 0"))
      #expect(result.errors.contains("nothing could be written to"))
      #expect(program.steps("faulty").last.map { $0 < 40 } == true)
      #expect(try program.run(run + ["--set", "run=faulty"]).code == 0)
      #expect(program.steps("faulty").last == 40)
    }
  }
}
