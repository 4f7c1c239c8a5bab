import Foundation
import Testing

/// `apus embed` on a folder with the files of sentence-transformers.
@Suite struct EmbedTests {
  /// Writes the golden encoder with a vocabulary that tells case apart.
  private func writeModel(_ program: Program) throws {
    let golden = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../ModelsTests/Goldens/encoder-bert")
    for name in ["config.json", "model.safetensors"] {
      try program.write(Data(contentsOf: golden.appending(path: name)), to: "model/\(name)")
    }
    let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + (5..<41).map { "word\($0)" }
    try program.write(tokens.joined(separator: "\n"), to: "model/vocab.txt")
    try program.write(#"{"do_lower_case": false}"#, to: "model/tokenizer_config.json")
  }

  private func vectors(
    _ texts: [String], _ program: Program, note: String? = nil
  ) throws -> [[Double]] {
    let result = try program.run(["embed", "model"] + texts + ["--threads", "1"])
    #expect(result.code == 0, "\(result.errors)")
    if let note { #expect(result.errors.contains(note), "\(result.errors)") }
    return try result.output.split(separator: "\n").map { line in
      let json = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require(json?["vector"] as? [Double])
    }
  }

  @Test func textsArePreparedAsSentenceTransformersDoes() throws {
    let program = try Program()
    defer { program.remove() }
    try writeModel(program)
    let texts = ["word5 word6 word7", "WORD5 word6 word7 word8 word9"]
    let plain = try vectors(texts, program)
    #expect(zip(plain[0], plain[1]).contains { abs($0 - $1) > 0.01 })
    try program.write(
      #"{"max_seq_length": 5, "do_lower_case": true}"#, to: "model/sentence_bert_config.json")
    let cut = try vectors(texts, program, note: "1 text is cut to the 5 tokens")
    // The rows of the two batches have other lengths.
    for vector in cut {
      #expect(zip(vector, plain[0]).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    let modules = ["Transformer", "Pooling", "Normalize"].enumerated().map {
      #"{"path": "\#($0)_\#($1)", "type": "sentence_transformers.models.\#($1)"}"#
    }
    try program.write("[\(modules.joined(separator: ","))]", to: "model/modules.json")
    try program.write(#"{"pooling_mode_mean_tokens": true}"#, to: "model/1_Pooling/config.json")
    let unit = try vectors(texts, program)[0]
    #expect(abs(unit.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
    try program.write(#"{"pooling_mode_cls_token": true}"#, to: "model/1_Pooling/config.json")
    let refused = try program.run(["embed", "model", "word5"])
    #expect(refused.code == 2 && refused.errors.contains("pooling_mode_cls_token"))
    #expect(try program.run(["embed", "model", "word5", "--pooling", "mean"]).code == 0)
  }
}
