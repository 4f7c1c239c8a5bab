import Foundation
import Testing

/// `apus model inspect`: sizes from the configuration and the headers only.
@Suite struct ModelInspectTests {
  private func sizes(_ folder: String, _ program: Program) throws -> [String: Any] {
    let result = try program.run(["model", "inspect", folder, "--json", "--lora-rank", "2"])
    #expect(result.code == 0, "\(result.errors)")
    return try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any] ?? [:]
  }

  @Test func sizesAreThoseOfTheModel() throws {
    try Program.withModel { program in
      // GPT-2 with 2 layers, width 16, 257 ids, 64 positions, and a tied head.
      let embeddings = (257 + 64) * 16
      let layer = 2 * 32 + (16 * 48 + 48) + (16 * 16 + 16) + (16 * 64 + 64) + (64 * 16 + 16)
      let parameters = embeddings + 2 * layer + 32
      // A and B of rank 2 for each of the four linear layers of a block.
      let adapter = 2 * 2 * ((16 + 48) + (16 + 16) + (16 + 64) + (64 + 16))
      let found = try sizes("base", program)
      for (key, value) in [
        ("parameters", parameters), ("embeddingParameters", embeddings), ("context", 64),
        ("vocabulary", 257), ("tokenizerIds", 257), ("layers", 2), ("width", 16), ("files", 1),
        ("loraParameters", adapter), ("loraRank", 2),
      ] {
        #expect(found[key] as? Int == value, "\(key): \(found[key] ?? "nothing")")
      }
      #expect(found["family"] as? String == "gpt2")
      #expect(found["architecture"] as? String == "GPT2LMHeadModel")
      #expect(found["precision"] as? [String: Int] == ["F32": parameters])
      let bytes = { (key: String) in found[key] as? [String: Int] }
      // Every parameter begins at a multiple of 16 elements; these sizes need no padding.
      #expect(bytes("trainBytes") == ["fp32": 16 * parameters, "bf16": 18 * parameters])
      #expect(
        bytes("loraTrainBytes") == [
          "fp32": 16 * adapter + 4 * parameters, "bf16": 18 * adapter + 6 * parameters,
        ])
      #expect(bytes("serveBytes") == ["fp32": 4 * parameters, "bf16": 6 * parameters])
      // A key and a value of 16 elements in each of two layers.
      #expect(bytes("cacheBytesPerToken") == ["fp32": 256, "bf16": 128])
      let size = try #require(
        program.read("\(program.checkpoint("base", step: 20))/model.safetensors")
      ).count
      #expect(found["fileBytes"] as? Int == size)
      let text = try program.run(["model", "inspect", "base"])
      for line in [
        "parameters  \(parameters), \(embeddings) of them embeddings", "256 bytes in fp32",
      ] { #expect(text.output.contains(line), "\(text.output)") }
    }
  }

  /// `inspect` reads no weights: it accepts a file that is damaged after its header.
  @Test func inspectDoesNotReadTheWeights() throws {
    try Program.withModel { program in
      #expect(try program.run(["export", "base", "--output", "model"]).code == 0)
      let before = try sizes("model", program)
      for folder in ["model", program.checkpoint("base", step: 20)] {
        var weights = try #require(program.read("\(folder)/model.safetensors"))
        weights.replaceSubrange(
          weights.count - 400..<weights.count, with: Data(repeating: 0xFF, count: 400))
        try program.write(weights, to: "\(folder)/model.safetensors")
      }
      #expect(try sizes("model", program)["parameters"] as? Int == before["parameters"] as? Int)
      #expect(try sizes("base", program)["parameters"] as? Int == before["parameters"] as? Int)
      #expect(try program.run(["generate", "model", "Say", "--tokens", "1"]).code == 2)
    }
  }

  /// The figures of an adapter include its base model, and those of a reward model its head.
  @Test func adaptersAndClassifiersAreInspected() throws {
    try Program.withModel { program in
      for arguments in [
        ["finetune"] + Program.short("chat", "data.train=talk.jsonl", "lora.rank=2"),
        ["reward"] + Program.short("judge", "data.train=pairs.jsonl", "lora.rank=2"),
      ] {
        let result = try program.run(arguments)
        #expect(result.code == 0, "\(result.errors)")
      }
      let (base, chat) = (try sizes("base", program), try sizes("chat", program))
      #expect(chat["parameters"] as? Int == base["parameters"] as? Int)
      #expect(chat["files"] as? Int == 2)
      let judge = try sizes("judge", program)
      #expect(judge["architecture"] as? String == "GPT2ForSequenceClassification")
      #expect(judge["parameters"] as? Int == (base["parameters"] as? Int ?? 0) + 16)
    }
  }
}
