import Foundation
import Tensors
import Testing

/// The sentences about defaults that a newcomer does not expect.
@Suite(.serialized) struct NoteTests {
  @Test func theChoiceOfBF16IsSaid() throws {
    try Program.withModel { program in
      let ask = ["annotate", "ask", "file.sqlite", "--model", "base", "--prompts", "talk.jsonl"]
      for command in [["generate", "base", "Say"], ask] {
        let own = try program.run(command + ["--tokens", "2"])
        #expect(own.code == 0, "\(own)")
        #expect(
          own.errors.contains("computing in bf16") == MatrixLibrary.bf16IsFaster, "\(own.errors)")
        let chosen = try program.run(command + ["--tokens", "2", "--precision", "bf16"])
        #expect(chosen.code == 0 && !chosen.errors.contains("bf16"), "\(chosen)")
      }
    }
  }

  /// The tokenizer of bytes has no markers; a plain template has none either.
  @Test func markersThatAreNoTokensAreNoted() throws {
    try Program.withModel { program in
      for (template, isNoted) in [("chatml", true), ("plain", false)] {
        let tuned = try program.run(
          ["finetune"]
            + Program.short(template, "data.train=talk.jsonl", "data.template=\(template)"))
        let aligned = try program.run(
          Program.shortAlignment(
            "\(template)-aligned", "reward.rule=b", "data.template=\(template)"))
        let shown = try program.run(
          ["data", "inspect", "talk.jsonl", "--tokenizer", "bytes", "--template", template])
        for result in [tuned, aligned, shown] {
          #expect(result.code == 0, "\(result)")
          #expect(
            result.errors.contains("no special tokens <|im_start|>, <|im_end|>") == isNoted,
            "\(result.errors)")
        }
        #expect(
          tuned.errors.contains("4 sequences (at most 256 tokens) per step"), "\(tuned.errors)")
      }
    }
  }
}
