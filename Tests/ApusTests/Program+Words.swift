import Foundation
import Testing

/// The text, tokenizer and run of the tests of encoders and encoder–decoders.
extension Program {
  /// Lines of words with a fixed order: a masked word can be predicted from its context.
  private static let words = (0..<900).map { line in
    (0..<12).map { "word\((line % 7) * 3 + $0 % 5)" }.joined(separator: " ") + "."
  }.joined(separator: "\n")

  /// Runs `body` with a program in a folder with `text.txt`, `tokenizer` and `NAME.yaml`.
  ///
  /// The configuration pretrains `model` into the folder NAME.
  static func withWords(
    _ name: String, model: String, tokenizer kind: String, _ body: (Program) throws -> Void
  ) throws {
    try withCorpus { program in
      try program.write(words, to: "text.txt")
      try program.write(
        """
        run: \(name)
        model: { \(model), layers: 2, heads: 2, width: 32, context: 32, dropout: 0.1 }
        tokenizer: tokenizer
        data: { train: text.txt, validation: 0.1 }
        batch: { microBatches: 4, sequences: 4 }
        steps: 60
        optimizer: { learningRate: 5e-3 }
        schedule: { warmup: 5 }
        checkpoint: { every: 30 }
        evaluate: { every: 30 }

        """, to: "\(name).yaml")
      let result = try program.run([
        "tokenizer", "train", "text.txt", "--kind", kind, "--vocabulary", "120", "--output",
        "tokenizer",
      ])
      #expect(result.code == 0, "\(result.errors)")
      try body(program)
    }
  }

  /// Expects the same bits from `NAME.yaml` with several numbers of ranks and threads, and after a
  /// resume from step 30 with another number of ranks.
  func expectSameBits(_ name: String, precision: String) throws {
    let command = [
      "pretrain", "\(name).yaml", "--oversubscribe", "--set", "precision=\(precision)",
    ]
    for (ranks, threads) in [(1, 1), (1, 2), (2, 1), (4, 1)] {
      let result = try run(
        command + ["--threads", "\(threads)", "--set", "run=run-\(ranks)x\(threads)"], ranks: ranks)
      #expect(result.code == 0, "\(result.errors)")
    }
    // A copy without the checkpoint of step 60 resumes from step 30 on three ranks.
    let files = FileManager.default
    try files.copyItem(atPath: "\(folder)/run-2x1", toPath: "\(folder)/resumed")
    try files.removeItem(atPath: "\(folder)/resumed/checkpoints/step-00000060")
    let resumed = try run(command + ["--threads", "1", "--set", "run=resumed"], ranks: 3)
    #expect(resumed.code == 0 && resumed.errors.contains("resuming from"), "\(resumed.errors)")
    let runs = ["run-1x1", "run-1x2", "run-2x1", "run-4x1", "resumed"]
    let hashes = Set(runs.map { hash($0, step: 60) })
    #expect(hashes.count == 1 && !hashes.contains(nil), "\(hashes)")
    #expect(hash("run-1x1", step: 30) != hash("run-1x1", step: 60))
  }
}
