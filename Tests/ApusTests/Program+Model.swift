import Foundation

extension Program {
  /// Numbered conversations, a JSON object per line.
  static let talk = (0..<60).map {
    #"{"messages":[{"role":"user","content":"Say \#($0 % 9)"},"#
      + #"{"role":"assistant","content":"bird \#($0 % 9)"}]}"#
  }
  .joined(separator: "\n")

  /// Runs `body` with a program in a folder with a small model `base` and the records `talk.jsonl`,
  /// `pairs.jsonl` and `judged.jsonl`.
  static func withModel(
    _ settings: [String] = [], _ body: (Program) throws -> Void
  ) throws {
    try withCorpus { program in
      let made = try program.run(
        ["pretrain", "run.yaml"]
          + (["run=base", "model.context=64", "steps=20"] + settings).flatMap { ["--set", $0] })
      guard made.code == 0 else { throw PreparationFailure(errors: made.errors) }
      try program.write(talk, to: "talk.jsonl")
      let pairs = (0..<60).map {
        #"{"prompt":"Say \#($0)","chosen":"bird \#($0)","rejected":"\#($0) o'clock"}"#
      }
      let judged = (0..<40).map { index in
        let answer = index % 3 == 0 ? "yes" : "no"
        return #"{"prompt":"question \#(index)","completion":"\#(answer) \#(index % 7)","label":"#
          + "\(index % 3 == 0)}"
      }
      try program.write(judged.joined(separator: "\n"), to: "judged.jsonl")
      try program.write(pairs.joined(separator: "\n"), to: "pairs.jsonl")
      try body(program)
    }
  }

  /// The error when a test's model could not be trained.
  struct PreparationFailure: Error {
    let errors: String
  }

  /// The options of a short run of a phase.
  static func short(_ run: String, from model: String = "base", _ settings: String...) -> [String] {
    let keys = [
      "run=\(run)", "model.from=\(model)", "batch.microBatches=2", "batch.sequences=2", "steps=2",
      "schedule.warmup=1", "data.validation=0",
    ]
    return (keys + settings).flatMap { ["--set", $0] } + ["--threads", "1"]
  }

  /// The command of a short GRPO run.
  static func shortAlignment(_ run: String, _ settings: String...) -> [String] {
    let keys = [
      "method=grpo", "data.train=talk.jsonl", "rollouts.prompts=4", "rollouts.samples=2",
      "rollouts.tokens=8", "policy.epochs=1",
    ]
    return ["align"] + short(run) + (keys + settings).flatMap { ["--set", $0] }
  }

  /// The lines of metrics.jsonl.
  func figures(_ run: String) throws -> [[String: Any]] {
    let text = String(decoding: read("\(run)/metrics.jsonl") ?? Data(), as: UTF8.self)
    return try text.split(separator: "\n").map {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
    }
  }
}
