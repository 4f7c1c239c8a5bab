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
}
