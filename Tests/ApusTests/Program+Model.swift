import Foundation

extension Program {
  /// Numbered conversations, an object a line.
  static let talk = (0..<60).map {
    #"{"messages":[{"role":"user","content":"Say \#($0 % 9)"},"#
      + #"{"role":"assistant","content":"bird \#($0 % 9)"}]}"#
  }
  .joined(separator: "\n")

  /// A program in a folder with a small model `base`, and what it may learn: `talk.jsonl` and
  /// `pairs.jsonl`.
  static func withModel(
    _ settings: [String] = [], _ body: (Program) throws -> Void
  ) throws {
    try withCorpus { program in
      let made = try program.run(
        ["pretrain", "run.yaml"]
          + (["run=base", "model.context=64", "steps=20"] + settings).flatMap { ["--set", $0] })
      guard made.code == 0 else { throw Unmade(errors: made.errors) }
      try program.write(talk, to: "talk.jsonl")
      let pairs = (0..<60).map {
        #"{"prompt":"Say \#($0)","chosen":"bird \#($0)","rejected":"\#($0) o'clock"}"#
      }
      try program.write(pairs.joined(separator: "\n"), to: "pairs.jsonl")
      try body(program)
    }
  }

  /// What a test needs could not be made.
  struct Unmade: Error {
    let errors: String
  }

  /// The settings of a phase's run that takes a moment.
  static func short(_ run: String, from model: String = "base", _ settings: String...) -> [String] {
    let keys = [
      "run=\(run)", "model.from=\(model)", "batch.microBatches=2", "batch.sequences=2", "steps=2",
      "schedule.warmup=1", "data.validation=0",
    ]
    return (keys + settings).flatMap { ["--set", $0] } + ["--threads", "1"]
  }

  /// The same for answers that are rewarded.
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
