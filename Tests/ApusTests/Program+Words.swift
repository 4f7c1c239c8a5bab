import Foundation
import Testing

/// What the tests of encoders and of encoder–decoders begin with: a text, a tokenizer of it, and a run.
extension Program {
  /// Words that follow each other in a fixed way: what is hidden can be told from what is around it.
  private static let words = (0..<900).map { line in
    (0..<12).map { "word\((line % 7) * 3 + $0 % 5)" }.joined(separator: " ") + "."
  }.joined(separator: "\n")

  /// A folder with `text.txt`, `tokenizer`, and `NAME.yaml`, which pretrains `model` into the folder NAME.
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

  /// Pretrains `NAME.yaml` in several worlds, and goes on from its middle in another: the bits must be
  /// the same, and not those of the middle.
  func expectSameBits(_ name: String, precision: String) throws {
    let command = [
      "pretrain", "\(name).yaml", "--oversubscribe", "--set", "precision=\(precision)",
    ]
    for (ranks, threads) in [(1, 1), (1, 2), (2, 1), (4, 1)] {
      let result = try run(
        command + ["--threads", "\(threads)", "--set", "run=run-\(ranks)x\(threads)"], ranks: ranks)
      #expect(result.code == 0, "\(result.errors)")
    }
    // What is left after step 30, resumed in another world.
    let files = FileManager.default
    try files.copyItem(atPath: "\(folder)/run-2x1", toPath: "\(folder)/resumed")
    try files.removeItem(atPath: "\(folder)/resumed/checkpoints/step-00000060")
    let resumed = try run(command + ["--threads", "1", "--set", "run=resumed"], ranks: 3)
    #expect(resumed.code == 0 && resumed.errors.contains("going on from"), "\(resumed.errors)")
    let runs = ["run-1x1", "run-1x2", "run-2x1", "run-4x1", "resumed"]
    let hashes = Set(runs.map { hash($0, step: 60) })
    #expect(hashes.count == 1 && !hashes.contains(nil), "\(hashes)")
    #expect(hash("run-1x1", step: 30) != hash("run-1x1", step: 60))
  }
}
