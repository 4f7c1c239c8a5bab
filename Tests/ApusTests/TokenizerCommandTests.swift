import Testing

/// `apus tokenizer encode`.
@Suite struct TokenizerCommandTests {
  /// As Hugging Face tokenizers does; in chats a user's text stays text (`ChatIDTests`).
  @Test func specialTokensAreFoundInTheText() throws {
    let program = try Program()
    defer { program.remove() }
    let ids = try program.run(["tokenizer", "encode", "a<|endoftext|>b"])
    #expect(ids.output.hasPrefix("97 256 98"), "\(ids.output) \(ids.errors)")
    try program.write(#""a<|endoftext|>b""#, to: "lines.jsonl")
    let (process, output, errors) = try program.start(
      "/bin/bash",
      ["-c", #"exec "$0" tokenizer encode --json-lines < lines.jsonl"#, Program.executable])
    let lines = Program.finish(process, output, errors)
    #expect(lines.output.contains(#""ids": [97, 256, 98]"#), "\(lines.errors)")
  }
}
