import Foundation
import Testing

/// Failed rewards: they are counted and reported, equally for any number of ranks, and the run
/// continues.
@Suite(
  .serialized, .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
struct RewardFailureTests {
  @Test func failuresOfTheRewardCommandAreReported() throws {
    try Program.withModel { program in
      let before = try program.contents()
      var hashes: Set<String?> = []
      for ranks in [1, 2] {
        let run = "run-\(ranks)"
        let command = "(echo nan; yes 1) | head -n 8"
        let result = try program.run(
          Program.shortAlignment(run, "reward.command=\(command)", "steps=4"), ranks: ranks)
        #expect(result.code == 0, "\(result.errors)")
        let warning =
          "the reward command failed for 1 of 8 completions, which count as 0: "
          + #"it printed "nan", which is not a number from −1e15 to 1e15"#
        // The warning appears once, not at every step.
        #expect(result.errors.components(separatedBy: warning).count == 2, "\(result.errors)")
        let all = "2 of the 16 completions of this run lack a part of their reward"
        #expect(result.errors.contains(all), "\(result.errors)")
        let rates = try program.figures(run).compactMap { $0["rewardFailures"] as? Double }
        // Two steps train on the same rollouts, on half of them each.
        #expect(rates.count == 4 && rates.reduce(0, +) * 4 == 2, "\(rates)")
        hashes.insert(program.hash(run, step: 4))
      }
      #expect(hashes.count == 1 && !hashes.contains(nil))
      let after = try program.contents()
      #expect(before.allSatisfy { after[$0.key] == $0.value })
    }
  }

  /// Without any reward there is nothing to learn: the run ends on all ranks, and no process is left.
  @Test(arguments: [
    ("exit 3", "it exited with code 3"), ("echo 1", "it printed 1 line for 8 completions"),
    ("sleep 300 & echo $! > child; sleep 300", "it took longer than 0.5 seconds"),
    ("rm -rf $TMPDIR/apus-reward-*; yes 1 | head -n 8", "its output cannot be read from"),
  ])
  func aCommandThatFailsForEveryCompletionEndsTheRun(command: String, cause: String) throws {
    try Program.withModel { original in
      var program = original
      program.environment["TMPDIR"] = program.folder
      for ranks in [1, 2] {
        let result = try program.run(
          Program.shortAlignment("run", "reward.command=\(command)", "reward.timeLimit=0.5"),
          ranks: ranks)
        #expect(result.code == 2, "\(result.errors)")
        let sentences = result.errors.components(separatedBy: "apus: ").dropFirst()
        #expect(sentences.count == 1, "\(result.errors)")
        let wanted = "the reward command failed for every completion: \(cause)"
        #expect(sentences.first?.hasPrefix(wanted) == true, "\(result.errors)")
        #expect(!result.errors.contains("Domain="))
      }
      if let child = program.pid(in: "child") { #expect(Program.hasEnded(child)) }
    }
  }

  /// `mpirun` waits for every process that holds its standard error.
  @Test func aProcessInASessionOfItsOwnEndsWithTheCommand() throws {
    try Program.withModel { program in
      let command = "setsid sh -c 'echo $$ > child; exec sleep 300' & yes 1 | head -n 8; sleep 0.3"
      for ranks in [1, 2] {
        let start = ContinuousClock.now
        let result = try program.run(
          Program.shortAlignment("run-\(ranks)", "reward.command=\(command)"), ranks: ranks)
        #expect(result.code == 0, "\(result.errors)")
        #expect(ContinuousClock.now - start < .seconds(40))
        #expect(Program.hasEnded(try #require(program.pid(in: "child"))))
      }
    }
  }

  /// A reward model whose scores overflow.
  @Test func nonFiniteScoresAreReported() throws {
    try Program.withModel { program in
      let judge = try program.run(
        ["reward"] + Program.short("judge", "data.train=pairs.jsonl"))
      #expect(judge.code == 0, "\(judge.errors)")
      let folder = try program.plainCopy(of: program.checkpoint("judge", step: 2))
      var bytes = try #require(program.read("\(folder)/model.safetensors"))
      let header = 8 + bytes.prefix(8).enumerated().reduce(0) { $0 + Int($1.1) << (8 * $1.0) }
      let names = try #require(
        try JSONSerialization.jsonObject(with: bytes[8..<header]) as? [String: [String: Any]])
      let offsets = try #require(names["score.weight"]?["data_offsets"] as? [Int])
      for place in stride(from: header + offsets[0], to: header + offsets[1], by: 4) {
        // 3.4e38, finite.
        bytes.replaceSubrange(place..<place + 4, with: [0xFF, 0xFF, 0x7F, 0x7F])
      }
      try program.write(bytes, to: "\(folder)/model.safetensors")
      let result = try program.run(
        Program.shortAlignment(
          "run", "reward.model=\(folder)", "reward.allowUnfit=true", #"reward.rule="[a-z]""#))
      #expect(result.code == 0, "\(result.errors)")
      let warning = "the reward model failed for "
      #expect(result.errors.contains(warning), "\(result.errors)")
      let cause = "its scores are not finite; train it again"
      #expect(result.errors.contains(cause), "\(result.errors)")
      let figures = try program.figures("run")
      #expect(figures.contains { ($0["rewardFailures"] as? Double ?? 0) > 0 })
      #expect(figures.allSatisfy { ($0["loss"] as? Double)?.isFinite ?? true })
    }
  }

  @Test func theLogReportsTheTimesOfAnAlignmentStep() throws {
    try Program.withModel { program in
      let result = try program.run(
        Program.shortAlignment("run", "reward.command=sleep 0.3; yes 1 | head -n 8", "steps=4"))
      #expect(result.code == 0 && !result.errors.contains("failed"), "\(result.errors)")
      let steps = try program.figures("run").filter { $0["loss"] != nil }
      let scoring = steps.compactMap { $0["secondsScoring"] as? Double }
      let generation = steps.compactMap { $0["secondsGeneration"] as? Double }
      // Completions are sampled before the first of the two steps of an iteration.
      #expect(scoring.count == 4 && scoring[0] >= 0.3 && scoring[1] == 0 && scoring[2] >= 0.3)
      #expect(generation.count == 4 && generation[0] > 0 && generation[3] == 0)
      let line = try #require(
        result.errors.split(separator: "\n").last { $0.contains("time: generation ") })
      let percents = line.split(separator: " ").compactMap { Int($0) }
      #expect(percents.count == 3 && percents.reduce(0, +) == 100 && percents[1] > 20, "\(line)")
    }
  }
}

extension Program {
  /// The number of the process that wrote the file `name`; nil without the file.
  func pid(in name: String) -> Int32? {
    read(name).flatMap {
      Int32(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }
  }

  /// True when the process is gone, or waits to be reaped.
  static func hasEnded(_ process: Int32) -> Bool {
    let state = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    return state.map { $0.contains(") Z ") } ?? true
  }
}
