import Datasets
import Foundation
import Testing
import Tokenizers

@testable import Apus

/// `apus data inspect` on records.
struct RecordInspectionTests {
  private static let conversations = """
    {"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Björn."}]}
    {"question": "Where?", "answer": "In the air."}

    """

  @Test func tokensInTheLossMaskAreInBrackets() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(Self.conversations, to: "a.jsonl")
    let result = try program.run(["data", "inspect", "a.jsonl", "--template", "chatml"])
    #expect(result.code == 0, "\(result.errors)")
    #expect(
      result.output == """
        2 examples of 114 tokens, 20 of them in the loss (17.5 %)

        — a.jsonl:1: 54 tokens, 8 of them in the loss
        <|im_start|>user
        Who?<|endoftext|>
        <|im_start|>assistant
        ⟦Björn.<|endoftext|>⟧


        — a.jsonl:2: 60 tokens, 12 of them in the loss
        <|im_start|>user
        Where?<|endoftext|>
        <|im_start|>assistant
        ⟦In the air.<|endoftext|>⟧


        """)
  }

  /// mpirun gives its ranks a pseudo-terminal, also where its own output is a file.
  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func theMarksUnderMPIAreThoseOfItsOutput() throws {
    var program = try Program()
    defer { program.remove() }
    program.environment["TERM"] = "xterm"
    program.environment["NO_COLOR"] = ""
    try program.write(Self.conversations, to: "a.jsonl")
    let inspect = ["data", "inspect", "a.jsonl", "--template", "chatml"]
    let ranks = ["-np", "1", Program.executable] + inspect
    let (process, output, errors) = try program.start(try #require(Program.mpirun), ranks)
    let result = Program.finish(process, output, errors)
    #expect(result.code == 0 && result.output.contains("⟦Björn.<|endoftext|>⟧"), "\(result)")
    #expect(!result.output.contains("\u{1B}"))
    let line = ([try #require(Program.mpirun)] + ranks).joined(separator: " ")
    let (other, shown, notes) = try program.start(
      "/usr/bin/script", ["-qec", line, "/dev/null"])
    let live = Program.finish(other, shown, notes)
    #expect(live.code == 0 && live.output.contains("\u{1B}[32mBjörn."), "\(live)")
  }

  /// A template may refuse a record, such as Gemma's a message of the system.
  @Test func recordsThatATemplateRefusesAreLeftOut() throws {
    let program = try Program()
    defer { program.remove() }
    try TokenizerFile.save(ByteTokenizer(), toFolder: "\(program.folder)/strict")
    try program.write(
      "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        + "{{ m.content }}{{ eos_token }}{% endfor %}", to: "strict/chat_template.jinja")
    try program.write(
      #"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}, "#
        + #"{"role": "assistant", "content": "a"}]}"# + "\n" + Self.conversations, to: "b.jsonl")
    let command = ["data", "inspect", "b.jsonl", "--tokenizer", "strict"]
    let refused = try program.run(command)
    #expect(refused.code == 2 && refused.errors.contains("b.jsonl:1"), "\(refused)")
    let result = try program.run(command + ["--skip-bad"])
    #expect(result.code == 0 && result.output.contains("— b.jsonl:2"), "\(result)")
    #expect(result.output.contains("1 bad record left out"), "\(result)")
  }

  /// The template is Zephyr's, in the separate file in which transformers publishes it.
  @Test func thePublishedTemplateOfATokenizerIsUsed() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(Self.conversations, to: "a.jsonl")
    try TokenizerFile.save(ByteTokenizer(), toFolder: "\(program.folder)/published")
    let zephyr =
      "{% for message in messages %}\n{% if message['role'] == 'user' %}\n"
      + "{{ '<|user|>\n' + message['content'] + eos_token }}\n"
      + "{% elif message['role'] == 'assistant' %}\n"
      + "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
      + "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n"
      + "{% endfor %}"
    try program.write(zephyr, to: "published/chat_template.jinja")
    let inspect = ["data", "inspect", "a.jsonl", "--tokenizer", "published", "--examples", "1"]
    let result = try program.run(inspect)
    #expect(result.code == 0, "\(result.errors)")
    #expect(
      result.output == """
        2 examples of 82 tokens, 20 of them in the loss (24.4 %)

        — a.jsonl:1: 38 tokens, 8 of them in the loss
        <|user|>
        Who?<|endoftext|>
        <|assistant|>
        ⟦Björn.<|endoftext|>⟧


        """)
    try program.write("{% include 'x' %}", to: "published/chat_template.jinja")
    let refused = try program.run(inspect)
    #expect(refused.code == 2 && refused.output.isEmpty)
    #expect(refused.errors.contains("line 1 of the chat template uses the tag 'include'"))
  }

  @Test func tokensInTheLossMaskAreColouredOnATerminal() throws {
    let chat = ChatEncoder(.plain, tokenizer: ByteTokenizer())
    let example = try chat.encode(
      Conversation([
        Message(.user, "q"), Message(.assistant, "a"), Message(.user, "r"),
        Message(.assistant, "b"),
      ]))
    let text = try TokenView(ByteTokenizer(), hasColour: true).text(of: example)
    #expect(
      text == "q\n\u{1B}[32ma<|endoftext|>\u{1B}[39mr\n\u{1B}[32mb<|endoftext|>\u{1B}[39m")
  }

  @Test func everyKindOfRecordIsInspected() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(#"[{"prompt": "q", "chosen": "yes", "rejected": "no"}]"#, to: "pairs.json")
    try program.write("text,label\n\"fine, thanks\",good\nawful,bad\n", to: "labels.csv")
    try program.write(#"{"prompt": "Who?"}"#, to: "prompts.jsonl")
    for (name, arguments, words) in [
      (
        "pairs.json", ["--template", "plain"],
        [
          "Chosen and rejected together: 1 pair of 11 tokens, 7 of them in the answers (63.6 %)",
          "— pairs.json:1, chosen: 6 tokens, 4 of them in the loss\nq\n⟦yes<|endoftext|>⟧",
          "— pairs.json:1, rejected: 5 tokens, 3 of them in the loss\nq\n⟦no<|endoftext|>⟧",
        ]
      ),
      (
        "labels.csv", [],
        [
          "2 texts of 17 tokens", "label bad: 1 text\nlabel good: 1 text",
          "— labels.csv:2, label good: 12 tokens\nfine, thanks\n",
        ]
      ),
      (
        "prompts.jsonl", ["--template", "plain"],
        ["1 prompt of 5 tokens", "— prompts.jsonl:1: 5 tokens\nWho?\n"]
      ),
    ] {
      let result = try program.run(["data", "inspect", name] + arguments)
      #expect(result.code == 0, "\(name): \(result.errors)")
      for word in words { #expect(result.output.contains(word), "\(name): \(result.output)") }
    }
  }

  @Test func theTemplateSavedWithTheTokenizerIsUsed() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(Self.conversations, to: "a.jsonl")
    try TokenizerFile.save(
      ByteTokenizer(), toFolder: "\(program.folder)/tokenizer", template: .plain)
    let inspect = ["data", "inspect", "a.jsonl", "--examples", "1", "--tokenizer"]
    let kept = try program.run(inspect + ["tokenizer"])
    #expect(kept.code == 0 && kept.output.contains("Who?\n⟦Björn.<|endoftext|>⟧\n"))
    #expect(!kept.output.contains("a.jsonl:2"))
    let none = try program.run(inspect + ["bytes"])
    #expect(none.code == 2 && none.errors.contains("--template with one of chatml, llama3"))
  }

  /// A tokenizer trained with a template has the template's markers and keeps the template.
  @Test func aTokenizerIsTrainedWithTheMarkersOfItsTemplate() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(Self.conversations, to: "a.jsonl")
    try program.write(Program.corpus, to: "corpus.txt")
    let train = [
      "tokenizer", "train", "corpus.txt", "--output", "tokenizer", "--template", "chatml",
    ]
    let small = try program.run(train + ["--vocabulary", "258"])
    #expect(small.code == 2 && small.errors.contains("<|endoftext|>, <|im_start|>, <|im_end|>"))
    #expect(small.errors.contains("choose at least 259"))
    #expect(try program.run(train + ["--vocabulary", "300"]).code == 0)
    let build = ["data", "build", "corpus.txt", "--tokenizer", "tokenizer", "--output", "shards"]
    #expect(try program.run(build).code == 0)
    for folder in ["tokenizer", "shards"] {
      let result = try program.run(["data", "inspect", "a.jsonl", "--tokenizer", folder])
      #expect(result.output.contains("⟦Björn.<|im_end|>⟧\n"), "\(result.output)\(result.errors)")
    }
  }

  @Test func unusableRecordsFailWithASentence() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(Self.conversations + #"{"question": "Why?", "answer": ""}"#, to: "a.jsonl")
    let inspect = ["data", "inspect", "a.jsonl", "--template", "plain"]
    let strict = try program.run(inspect)
    #expect(strict.code == 2 && strict.errors.contains("a.jsonl:3 has an empty answer"))
    let kept = try program.run(inspect + ["--skip-bad"])
    #expect(
      kept.code == 0 && kept.output.hasPrefix("1 record left out:\n  a.jsonl:3 has an empty"))
    let short = try program.run(inspect + ["--skip-bad", "--context", "12"])
    #expect(short.output.contains("1 example of 13 tokens"), "\(short.output)\(short.errors)")
    #expect(short.output.contains("1 longer than the context left out"))
    // Every answer is cut before its end: the program prints the figures, and then the reason.
    try program.write(#"{"question": "Why?", "answer": "Because."}"#, to: "b.jsonl")
    let cut = try program.run(
      ["data", "inspect", "b.jsonl", "--template", "plain", "--context", "8", "--truncate"])
    #expect(cut.code == 2 && cut.output.contains("1 cut at the length of the context"))
    #expect(cut.errors.contains("never includes the end of a turn"))
  }
}
