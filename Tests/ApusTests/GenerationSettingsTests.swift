import Foundation
import Testing

/// `apus generate` with the `generation_config.json` of a folder.
@Suite struct GenerationSettingsTests {
  @Test func theSettingsOfTheFolderAreUsedAndKept() throws {
    try Program.withModel { program in
      #expect(try program.run(["export", "base", "--output", "model"]).code == 0)
      let path = "model/generation_config.json"
      func generate(_ settings: String, _ options: [String]) throws -> Program.Result {
        try program.write(settings, to: path)
        return try program.run(
          ["generate", "model", "Where", "--tokens", "40", "--precision", "fp32"] + options)
      }
      let free = try generate("{}", ["--greedy"])
      #expect(free.code == 0 && free.errors.isEmpty, "\(free.errors)")
      // The ids are bytes: the first one after the prompt ends the text and belongs to it.
      #expect(free.output.utf8.count == 46)
      let end = try #require(free.output.utf8.dropFirst(5).first)
      let settings = "{\"eos_token_id\": [256, \(end)], \"do_sample\": false, \"num_beams\": 4}"
      let stopped = try generate(settings, [])
      #expect(Array(stopped.output.utf8) == Array("Where".utf8) + [end, 10], "\(stopped)")
      #expect(stopped.errors.contains("asks for the most likely tokens"), "\(stopped.errors)")
      #expect(stopped.errors.contains("does not apply: num_beams 4."), "\(stopped.errors)")
      // An option replaces the sampling settings.
      let sampled = try generate(settings, ["--temperature", "1"])
      #expect(sampled.code == 0 && !sampled.errors.contains("temperature"), "\(sampled.errors)")
      let side = #"{"padding_side": "left", "truncation_side": "left", "model_max_length": 32}"#
      try program.write(side, to: "model/tokenizer_config.json")
      #expect(try program.run(["export", "model", "--output", "again"]).code == 0)
      let kept =
        try JSONSerialization.jsonObject(
          with: try #require(program.read("again/generation_config.json"))) as? [String: Any]
      #expect(
        kept?["eos_token_id"] as? [Int] == [256, Int(end)] && kept?["num_beams"] as? Int == 4)
      // transformers truncates to the model's positions, or to fewer.
      let tokenizer =
        try JSONSerialization.jsonObject(
          with: try #require(program.read("again/tokenizer_config.json"))) as? [String: Any]
      #expect(tokenizer?["model_max_length"] as? Int == 32)
      #expect(tokenizer?["padding_side"] as? String == "left")
      #expect(tokenizer?["truncation_side"] as? String == "left")
      // Sampling is said where no option asks for it: transformers is greedy by default.
      let own = try generate(#"{"do_sample": true, "temperature": 0.5}"#, [])
      #expect(own.errors.contains("temperature 0.5, top-k none and top-p 1.0, as gener"))
      for errors in [own.errors, try generate("{}", []).errors] {
        #expect(errors.contains("sampling at temperature"), "\(errors)")
        #expect(errors.contains("--greedy takes the most likely tokens"), "\(errors)")
      }
      // An option also replaces the length and the number of texts.
      try program.write(#"{"max_new_tokens": 3, "num_return_sequences": 2}"#, to: path)
      let command = ["generate", "model", "Where", "--precision", "fp32"]
      let short = try program.run(command)
      #expect(short.code == 0 && short.output.count { $0 == "\n" } >= 2, "\(short)")
      #expect(short.errors.contains("at most 3 new tokens, 2 texts."), "\(short.errors)")
      try program.write(
        #"{"max_new_tokens": 3, "num_return_sequences": 2, "do_sample": false}"#, to: path)
      // As in transformers: equal texts are not asked for.
      let equal = try program.run(command)
      #expect(equal.code == 2 && equal.output.isEmpty, "\(equal)")
      #expect(equal.errors.contains("2 texts of the most likely tokens would be equal"), "\(equal)")
      let long = try program.run(command + ["--tokens", "40", "--samples", "1"])
      #expect(long.output == free.output && !long.errors.contains("at most"), "\(long)")
      try program.write(#"{"max_length": 9, "do_sample": false}"#, to: path)
      let unused = try program.run(command)
      #expect(unused.errors.contains("does not apply: max_length 9."), "\(unused)")
      let replaced = try program.run(command + ["--tokens", "40"])
      #expect(replaced.output == free.output && !replaced.errors.contains("max_length"))
      // A link to nothing is no missing file, as in a cache whose download was interrupted.
      try FileManager.default.removeItem(atPath: "\(program.folder)/\(path)")
      try FileManager.default.createSymbolicLink(
        atPath: "\(program.folder)/\(path)", withDestinationPath: "nothing")
      let dangling = try program.run(command)
      #expect(dangling.code == 2 && dangling.errors.contains(path), "\(dangling)")
      try FileManager.default.removeItem(atPath: "\(program.folder)/\(path)")
      let refused = try generate(#"{"top_p": 2}"#, [])
      #expect(refused.code == 2 && refused.errors.contains("top_p is 2"), "\(refused)")
    }
  }

  /// Without a post-processor that adds a token, generation and evaluation begin with `bos_token_id`,
  /// and with the end of text where it is missing or outside the vocabulary.
  @Test func textsBeginWithTheSameTokenInGenerationAndEvaluation() throws {
    try Program.withModel { program in
      #expect(try program.run(["export", "base", "--output", "model"]).code == 0)
      try program.write("W", to: "text.txt")
      func results(_ settings: String) throws -> [String] {
        try program.write(settings, to: "model/generation_config.json")
        return try [
          ["evaluate", "model", "--texts", "text.txt", "--json", "--without-end"],
          ["generate", "model", "", "--temperature", "1", "--tokens", "60"],
        ].map {
          let result = try program.run($0)
          #expect(result.code == 0, "\(result)")
          return result.output
        }
      }
      let plain = try results(#"{"bos_token_id": 256}"#)
      #expect(try results("{}") == plain && results(#"{"bos_token_id": 9999}"#) == plain)
      for (one, other) in zip(try results(#"{"bos_token_id": 101}"#), plain) {
        #expect(one != other)
      }
    }
  }

  @Test func theEndOfATextIsLeftOutOnRequest() throws {
    try Program.withModel { program in
      try program.write("Where does a swift sleep?", to: "text.txt")
      func loss(_ options: [String]) throws -> (loss: Double, errors: String) {
        let result = try program.run(
          ["evaluate", "base", "--texts", "text.txt", "--json"] + options)
        let line = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let figures = (line as? [String: Any])?["figures"] as? [String: Double]
        return (try #require(figures?["loss"]), result.errors)
      }
      let (whole, without) = (try loss([]), try loss(["--without-end"]))
      #expect(whole.errors.contains("--without-end") && without.errors.isEmpty)
      // 26 targets with the end, 25 without: the difference is the loss of the end, which is above 0.
      #expect(26 * whole.loss - 25 * without.loss > 0 && whole.loss != without.loss)
      let misplaced = try program.run(["evaluate", "base", "--records", "x", "--without-end"])
      #expect(misplaced.code == 64)
    }
  }
}
