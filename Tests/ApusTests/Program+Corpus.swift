import Crypto
import Foundation

extension Program {
  /// A corpus of some thousand bytes with a pattern to learn.
  static let corpus = (0..<400).map {
    "Line \($0): the \($0 % 7) birds sing at \($0 % 5) o'clock.\n"
  }
  .joined()

  /// The configuration of a short run on `corpus`.
  static func yaml(_ more: String = "") -> String {
    """
    run: run
    model: { layers: 2, heads: 2, width: 16, context: 16, dropout: 0.1 }
    data: { train: [corpus.txt] }
    batch: { microBatches: 4, sequences: 2 }
    steps: 12
    schedule: { warmup: 2 }
    checkpoint: { every: 3 }
    evaluate: { every: 6, tokens: 256 }
    \(more)
    """
  }

  /// Options that extend that run to some seconds, so that it can be interrupted.
  static let long = [
    "--set", "steps=160", "--set", "batch.sequences=24", "--set", "checkpoint.every=4",
    "--set", "evaluate.every=0",
  ]

  /// Runs `body` with a program in a folder with `corpus.txt` and `run.yaml`.
  static func withCorpus(_ body: (Program) throws -> Void) throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(corpus, to: "corpus.txt")
    try program.write(yaml(), to: "run.yaml")
    try body(program)
  }

  /// The folder of a checkpoint.
  func checkpoint(_ run: String, step: Int) -> String {
    let digits = "\(step)"
    return "\(run)/checkpoints/step-" + String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// Copies a checkpoint to a folder that holds only the model, and returns its name.
  func plainCopy(of checkpoint: String) throws -> String {
    let target = "\(folder)/plain"
    try FileManager.default.copyItem(atPath: "\(folder)/\(checkpoint)", toPath: target)
    for name in ["MANIFEST.json", "state.json"] {
      try FileManager.default.removeItem(atPath: "\(target)/\(name)")
    }
    return "plain"
  }

  /// The steps that have a checkpoint, in ascending order.
  func steps(_ run: String) -> [Int] {
    names(in: "\(run)/checkpoints").compactMap { name in
      name.hasPrefix("step-") ? Int(name.dropFirst(5)) : nil
    }
  }

  /// The SHA-256 of the weights after `step`, or nil without a checkpoint.
  func hash(_ run: String, step: Int = 12) -> String? {
    read("\(checkpoint(run, step: step))/model.safetensors").map {
      SHA256.hash(data: $0).description
    }
  }

  /// The steps of the lines in metrics.jsonl that report a training step.
  func metrics(_ run: String) -> [Int] {
    let text = String(decoding: read("\(run)/metrics.jsonl") ?? Data(), as: UTF8.self)
    return text.split(separator: "\n").compactMap { line in
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return object?["loss"] == nil ? nil : object?["step"] as? Int
    }
  }
}
