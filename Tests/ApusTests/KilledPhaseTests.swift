import Foundation
import Testing

/// A run whose rank is killed in every phase of a step and of a save, one after another.
@Suite(.serialized) struct KilledPhaseTests {
  private let steps = 60
  private var run: [String] {
    [
      "pretrain", "run.yaml", "--threads", "1", "--set", "steps=\(steps)", "--set",
      "evaluate.every=50",
    ]
  }

  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func aKilledRankLosesNothing() throws {
    try Program.withCorpus { program in
      #expect(try program.run(run + ["--set", "run=whole"]).code == 0)
      // A save may be skipped while the one before it is written: the first of an attempt is meant.
      for (index, place) in [
        "rank=0,step=7,phase=forward", "rank=1,step=13,phase=exchange",
        "rank=0,step=19,phase=optimizer", "rank=1,phase=snapshot", "rank=0,phase=write",
        "rank=1,phase=write", "rank=0,phase=publish", "rank=1,step=50,phase=evaluation",
      ].enumerated() {
        var broken = program
        broken.environment["APUS_FAULT"] = "kill@\(place),attempt=\(index + 1)"
        let result = try broken.run(run + ["--set", "run=faulty"], ranks: 2)
        #expect(result.code == 137, "\(place): \(result.errors.suffix(2000))")
      }
      let last = try program.run(run + ["--set", "run=faulty"], ranks: 3)
      #expect(last.code == 0, "\(last.errors.suffix(2000))")
      #expect(program.hash("faulty", step: steps) == program.hash("whole", step: steps))
      #expect(program.metrics("faulty") == Array(1...steps))
      let claim = program.read("faulty/checkpoints/ATTEMPT") ?? Data()
      #expect(claim.starts(with: Data("9 ".utf8)))
    }
  }

  /// Two workers in rounds of five steps, whole on one rank, killed on two, and ended on four.
  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func aKilledRankOfADiLoCoRunLosesNothing() throws {
    try Program.withCorpus { program in
      let keys = ["sync=diloco", "diloco.innerSteps=5", "checkpoint.every=5", "steps=40"]
      let run = ["pretrain", "run.yaml", "--threads", "1"] + keys.flatMap { ["--set", $0] }
      #expect(try program.run(run + ["--set", "run=whole"]).code == 0)
      for (index, place) in [
        "rank=1,step=3,phase=forward", "rank=0,step=8,phase=exchange",
        "rank=1,step=14,phase=optimizer", "rank=1,step=15,phase=agreement",
        "rank=0,step=20,phase=snapshot", "rank=1,step=20,phase=write",
        "rank=0,step=25,phase=publish",
      ].enumerated() {
        var broken = program
        broken.environment["APUS_FAULT"] = "kill@\(place),attempt=\(index + 1)"
        let result = try broken.run(run + ["--set", "run=faulty"], ranks: 2)
        #expect(result.code == 137, "\(place): \(result.errors.suffix(2000))")
      }
      let refused = try program.run(run + ["--set", "run=faulty"], ranks: 3)
      #expect(refused.code == 2 && refused.errors.contains("3 ranks cannot be divided over"))
      let last = try program.run(run + ["--set", "run=faulty"], ranks: 4)
      #expect(last.code == 0, "\(last.errors.suffix(2000))")
      #expect(last.errors.contains("resuming from"))
      #expect(program.hash("faulty", step: 40) == program.hash("whole", step: 40))
      #expect(program.metrics("faulty") == Array(1...40))
    }
  }
}
