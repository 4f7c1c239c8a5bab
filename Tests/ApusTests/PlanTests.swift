import Foundation
import Testing

/// `apus plan`: the prediction of a run on hosts that need not exist, and recommendations.
@Suite(.serialized) struct PlanTests {
  private static let finetune = [
    "--phase", "finetune", "--set", "run=chat", "--set", "model.from=base", "--set",
    "data.train=talk.jsonl", "--set", "data.validation=0", "--set", "batch.microBatches=4", "--set",
    "batch.sequences=2", "--set", "steps=400",
  ]

  private func plan(_ program: Program, _ words: [String]) throws -> [String: Any] {
    let result = try program.run(["plan", "--json"] + words)
    try #require(result.code == 0, "\(result)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  private func number(_ plan: [String: Any], _ section: String, _ key: String) throws -> Double {
    try #require((plan[section] as? [String: Any])?[key] as? Double, "\(section).\(key)")
  }

  /// With more hosts a rank has less to compute and to remember, and more to send.
  @Test func hostsShareTheWork() throws {
    try Program.withModel { program in
      let before = try program.contents()
      let network = ["--threads", "1", "--network-bandwidth", "1", "--disk-bandwidth", "100"]
      let one = try plan(program, Self.finetune + network)
      let four = try plan(program, Self.finetune + network + ["--hosts", "4"])
      #expect(try program.contents() == before)
      #expect(try number(one, "step", "bytesPerRank") == 0)
      let (bytes, least) = (
        try number(four, "step", "bytesPerRank"), try number(four, "step", "leastBytesPerRank")
      )
      #expect(bytes > 0 && bytes == least)
      #expect(try number(four, "step", "bytesOnWirePerHost") == bytes)
      // The latency alone: eight buckets, two doublings.
      #expect(try number(four, "step", "secondsExposed") > 8 * 2 * 50e-6)
      for key in ["optimizer", "gradients"] {
        #expect(
          try number(four, "memoryPerRank", key) < number(one, "memoryPerRank", key), "\(key)")
      }
      let ratio =
        try number(one, "step", "secondsCompute") / number(four, "step", "secondsCompute")
      #expect(ratio > 1.5, "\(ratio) of 4")
      #expect(one["steps"] as? Int == 400 && one["seconds"] as? Double ?? 0 > 0)
    }
  }

  /// Four workers send in a round of 40 steps what their ranks otherwise send in each step, and have
  /// moments of their own.
  @Test func workersOfDiLoCoAgreeOncePerRound() throws {
    try Program.withModel { program in
      let three = Self.finetune + ["--threads", "1", "--network-bandwidth", "0.01", "--hosts", "3"]
      let words = Array(three.dropLast()) + ["4"]
      let diloco = [
        "--set", "sync=diloco", "--set", "diloco.workers=4", "--set", "diloco.innerSteps=40",
      ]
      let (exact, rounds) = (try plan(program, words), try plan(program, words + diloco))
      let bytes = try [exact, rounds].map { try number($0, "step", "bytesPerRank") }
      #expect(bytes[0] > 0 && abs(bytes[1] - bytes[0] / 40) < 1e-6 * bytes[0])
      #expect(
        try number(rounds, "step", "secondsExposed") < number(exact, "step", "secondsExposed") / 10)
      let state = try [exact, rounds].map { try number($0, "memoryPerRank", "optimizer") }
      // Two moments on four ranks; two, a fourth of the outer momentum, and the global weights.
      #expect(abs(state[1] / state[0] - (2 + 0.25 + 1) / 0.5) < 0.01)
      let refused = try program.run(["plan"] + three + diloco)
      #expect(refused.code == 2 && refused.errors.contains("3 ranks cannot be divided"))
    }
  }

  /// The hosts and ranks are those of the hostfile.
  @Test func aHostfileIsPlanned() throws {
    try Program.withModel { program in
      try program.write("node-a slots=2\nnode-b slots=2\n", to: "hosts")
      let plan = try plan(program, Self.finetune + ["--hostfile", "hosts", "--threads", "1"])
      #expect(plan["hosts"] as? Int == 2 && plan["ranksPerHost"] as? Int == 2)
      try program.write("node-a slots=none\n", to: "hosts")
      let refused = try program.run(["plan"] + Self.finetune + ["--hostfile", "hosts"])
      #expect(refused.code == 2 && refused.errors.contains("hosts:1"), "\(refused)")
    }
  }

  /// What cannot fit is refused with the part that needs most and what to lower.
  @Test func aRunThatDoesNotFitIsRefused() throws {
    try Program.withModel { program in
      let plan = try program.run(["plan"] + Self.finetune + ["--memory", "0.0001"])
      #expect(plan.code == 2 && plan.output.isEmpty, "\(plan)")
      #expect(plan.errors.contains("MiB of memory on each rank"), "\(plan)")
      #expect(plan.errors.contains("choose a smaller model"), "\(plan)")
      // What is printed as needed is also what is refused.
      let words = Self.finetune + ["--memory", "1"]
      let needed = try number(self.plan(program, words), "memoryPerRank", "total")
      for (factor, code) in [(0.9, 2), (1.2, 0)] as [(Double, Int32)] {
        let near = try program.run(
          ["plan"] + Self.finetune + ["--memory", "\(factor * needed / 0x1p30)"])
        #expect(near.code == code, "\(near)")
        #expect(near.errors.contains("program and data") == (code == 2), "\(near)")
      }
      let bad = try program.run(["plan"] + Self.finetune + ["--set", "data.train=none.jsonl"])
      #expect(bad.code == 2 && bad.errors.contains("none.jsonl"), "\(bad)")
    }
  }

  /// Hosts with more memory than this machine hold what it cannot, and its steps are not run.
  @Test func aLargerHostIsPlanned() throws {
    try Program.withCorpus { program in
      let huge = [
        "--set", "data.train=[corpus.txt]", "--set", "model.width=16384", "--set",
        "model.layers=96", "--set", "model.heads=128", "--set", "model.context=2048", "--set",
        "epochs=1", "--hosts", "64",
      ]
      let refused = try program.run(["plan"] + huge)
      #expect(refused.code == 2 && refused.errors.contains("memory"), "\(refused)")
      let plan = try plan(program, huge + ["--memory", "50000"])
      #expect((plan["step"] as? [String: Any])?["isMeasured"] as? Bool == false)
      #expect(try number(plan, "memoryPerRank", "weights") > 1e12)
    }
  }

  @Test func theTextNamesItsAssumptions() throws {
    try Program.withModel { program in
      let plan = try program.run(["plan"] + Self.finetune + ["--hosts", "3"])
      #expect(plan.code == 0 && plan.errors.isEmpty, "\(plan)")
      let lines = plan.output.split(separator: "\n")
      #expect(lines.allSatisfy { $0.count <= 100 }, "\(plan)")
      let labels = [
        "memory per rank", "step", "exchange", "time", "energy", "checkpoint", "assumed",
      ]
      for label in labels {
        #expect(lines.contains { $0.hasPrefix("\(label) ") }, "\(label) in \(plan)")
      }
      #expect(plan.output.contains("by Daly") && plan.output.contains("by Young"))
    }
  }

  /// Every recommendation names commands and keys that there are.
  @Test func recommendedCommandsExist() throws {
    let program = try Program()
    defer { program.remove() }
    var commands: Set<String> = []
    for objective in ["classify", "embed", "transform", "generate", "extract"] {
      for examples in ["1", "60", "500", "5000", "120000", "6000000"] {
        let answer = try plan(program, ["--objective", objective, "--examples", examples])
        commands.insert(try #require(answer["command"] as? String))
      }
    }
    #expect(commands.count > 10, "\(commands)")
    let schema = try program.run(["config", "--phase", "finetune", "--schema"]).output
    for command in commands {
      for match in command.matches(of: /apus (\w+)/) {
        #expect(try program.run([String(match.1), "--help"]).code == 0, "\(command)")
      }
      for match in command.matches(of: /--set (\w+)[.=]/) {
        #expect(schema.contains("\n\(match.1)"), "\(command)")
      }
    }
  }

  @Test func idleRanksAreNamed() throws {
    try Program.withCorpus { program in
      let words = ["plan", "run.yaml", "--hosts"]
      let many = try program.run(words + ["64"])
      #expect(many.output.contains("60 of 64 ranks are idle,"), "\(many)")
      let few = try program.run(words + ["1"])
      #expect(few.code == 0 && !few.output.contains("idle"), "\(few)")
    }
  }

  @Test func anObjectiveIsAnswered() throws {
    try Program.withModel { program in
      let answer = try program.run(["plan", "--objective", "classify", "--examples", "10"])
      #expect(answer.code == 0 && answer.output.hasPrefix("recommended   use a model as it is"))
      let json = try plan(
        program, ["--objective", "classify", "--examples", "3000", "--deadline", "1000"])
      #expect(json["start"] as? String == "fineTune" && json["family"] as? String == "encoder")
    }
  }

  @Test(arguments: [
    [], ["run.yaml", "--objective", "embed", "--examples", "1"], ["--objective", "embed"],
    ["run.yaml", "--examples", "1"], ["run.yaml", "--hosts", "0"],
    ["run.yaml", "--hosts", "2", "--hostfile", "h"], ["run.yaml", "--mtbf", "-1"],
    ["run.yaml", "--network-bandwidth", "nan"], ["run.yaml", "--phase", "sing"],
    ["--objective", "classify", "--examples", "-1"],
  ]) func oddArgumentsAreRefused(words: [String]) throws {
    try Program.withModel { program in
      let plan = try program.run(["plan"] + words)
      #expect(plan.code == 64 && plan.output.isEmpty, "\(plan)")
    }
  }

  @Test func severalRanksAreRefused() throws {
    try Program.withModel { program in
      let mpirun = try #require(Program.mpirun)
      let (process, output, errors) = try program.start(
        mpirun, ["--oversubscribe", "-np", "2", Program.executable, "plan"] + Self.finetune)
      let plan = Program.finish(process, output, errors)
      #expect(plan.code == 2 && plan.errors.contains("without mpirun"), "\(plan)")
    }
  }
}
