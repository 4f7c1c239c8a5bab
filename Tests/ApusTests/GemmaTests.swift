import Foundation
import Testing

/// A Gemma 3 through the program: pretraining, LoRA, generation and export.
///
/// The tests run one at a time, since each uses all cores.
@Suite(.serialized) struct GemmaTests {
  @Test(
    .enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"),
    arguments: ["gemma", "gemma3"])
  func bitsDoNotDependOnRanksOrThreads(family: String) throws {
    try Program.withCorpus { program in
      var hashes: Set<String?> = []
      for (ranks, threads, recompute) in [(1, 1, "none"), (1, 2, "layer"), (2, 1, "none")] {
        let run = "run-\(ranks)x\(threads)"
        let result = try program.run(
          [
            "pretrain", "run.yaml", "--threads", "\(threads)", "--oversubscribe", "--set",
            "run=\(run)", "--set", "model.family=\(family)", "--set", "model.kvHeads=2", "--set",
            "precision=bf16", "--set", "recompute=\(recompute)",
          ], ranks: ranks)
        #expect(result.code == 0, "\(result.errors)")
        hashes.insert(program.hash(run))
      }
      #expect(hashes.count == 1 && !hashes.contains(nil), "\(hashes)")
    }
  }

  @Test(arguments: ["gemma", "gemma3"])
  func aPretrainedModelIsAdaptedGeneratesAndIsExported(family: String) throws {
    try Program.withModel(["model.family=\(family)"]) { program in
      let tuned = try program.run(
        ["finetune"] + Program.short("tuned", "data.train=talk.jsonl", "lora.rank=2"))
      #expect(tuned.code == 0, "\(tuned.errors)")
      let text = try program.run(["generate", "tuned", "Say", "--tokens", "4"])
      #expect(text.code == 0 && !text.output.isEmpty, "\(text.errors)")
      let export = try program.run(["export", "tuned", "--output", "merged"])
      #expect(export.code == 0, "\(export.errors)")
      let again = try program.run(["generate", "merged", "Say", "--tokens", "4"])
      #expect(again.output == text.output)
      let json = try JSONSerialization.jsonObject(
        with: try #require(program.read("merged/config.json")))
      let type = (json as? [String: Any])?["model_type"] as? String
      #expect(type == (family == "gemma" ? "gemma" : "gemma3_text"))
    }
  }
}
