import Testing
import Tokenizers

@testable import Datasets

struct RecordReaderTests {
  /// Returns the records of a file `name` with the content `text`, and the skipped records.
  func read(
    _ name: String, _ text: String, skipsBad: Bool = false
  ) throws -> (records: [LocatedRecord], skipped: SkippedRecords) {
    let scratch = try Scratch()
    let bytes = Array(text.utf8)
    let path = try scratch.write(name, name.hasSuffix(".gz") ? gzip(bytes) : bytes)
    var reader = RecordReader([try SourceFile(path, of: .records)], skipsBad: skipsBad)
    var records: [LocatedRecord] = []
    while let record = try reader.next() { records.append(record) }
    return (records, reader.skipped)
  }

  private func record(_ json: String) throws -> Record {
    let records = try read("a.jsonl", json).records
    return try #require(records.count == 1 ? records[0].record : nil)
  }

  /// Returns the defect of the one bad record in `text`, and its line.
  func defect(_ text: String, name: String = "a.jsonl") throws -> (RecordDefect, line: Int)? {
    do {
      _ = try read(name, text)
      return nil
    } catch DatasetError.badRecord(let defect, let place) {
      return (defect, place.line)
    }
  }

  @Test func elementsAndRowsAboveTheLimitAreRefused() throws {
    let list = Array(#"[{"text":"a","label":"b"},{"text":"aaaaaaaaaa","label":"b"}]"#.utf8)
    var elements = JSONElements(list, path: "a.json", limit: 30)
    #expect(try elements.next() != nil)
    #expect(throws: DatasetError.documentTooLarge(path: "a.json", line: 1, limit: 30)) {
      try elements.next()
    }
    let table = Array("text,label\na,b\n\"aaaaaaaaaa\naaaaaaaaaaaaaaaaaaaa\",b\n".utf8)
    var rows = try CSVRows(table, path: "a.csv", limit: 30)
    #expect(try rows.next() != nil)
    #expect(throws: DatasetError.documentTooLarge(path: "a.csv", line: 3, limit: 30)) {
      try rows.next()
    }
  }

  private static let question = Message(.user, "q")
  private static let answer = Message(.assistant, "a")
  private static let asked = Record.conversation(Conversation([question, answer]))

  @Test(
    arguments: [
      #"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}"#,
      #"{"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}"#,
      #"{"id": 7, "prompt": "q", "completion": "a"}"#,
      #"{"prompt": "q", "response": "a", "completion": null}"#,
      #"{"question": "q", "answer": "a"}"#,
      #"{"instruction": "q", "input": "", "output": "a"}"#,
      #"{"instruction": "q", "output": "a", "messages": null}"#,
      #"{"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "#
        + #""content": "a"}]}"#,
    ])
  func everyFormatOfAConversationIsRead(json: String) throws {
    #expect(try record(json) == Self.asked)
  }

  /// transformers passes a developer's role to the template, and most templates do not have it.
  @Test func developersAndEmptyLabelsAreRefused() throws {
    #expect(try defect(#"{"messages": [{"role": "developer"}]}"#)?.0 == .unknownRole("developer"))
    #expect(try defect(#"{"text": "a", "label": " "}"#)?.0 == .emptyLabel)
  }

  @Test func conversationsOfSeveralTurnsAreRead() throws {
    let system = Message(.system, "s")
    let more = [Message(.user, "q2"), Message(.assistant, "a2")]
    #expect(
      try record(
        #"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}, "#
          + #"{"role": "assistant", "content": "a"}, {"role": "user", "content": "q2"}, "#
          + #"{"role": "assistant", "content": "a2"}]}"#)
        == .conversation(Conversation([system, Self.question, Self.answer] + more)))
    #expect(
      try record(#"{"system": "s", "question": "q", "answer": "a"}"#)
        == .conversation(Conversation([system, Self.question, Self.answer])))
    #expect(
      try record(#"{"instruction": "q", "input": "i", "output": "a"}"#)
        == .conversation(Conversation([Message(.user, "q\n\ni"), Self.answer])))
  }

  @Test(
    arguments: [
      #"{"prompt": "q", "chosen": "a", "rejected": "b"}"#,
      #"{"instruction": "q", "input": "", "output": "a", "rejected": "b", "chosen": "a"}"#,
      #"{"question": "q", "chosen": "a", "rejected": "b"}"#,
      #"{"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"}"#,
      #"{"prompt": "\n\nHuman: q\n\nAssistant:", "chosen": "a", "rejected": "b"}"#,
      #"{"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "#
        + #""rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]}"#,
      #"{"prompt": [{"role": "user", "content": "q"}], "chosen": [{"role": "assistant", "#
        + #""content": "a"}], "rejected": [{"role": "assistant", "content": "b"}]}"#,
      #"{"prompt": "q", "chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "#
        + #""content": "a"}], "rejected": [{"role": "user", "content": "q"}, "#
        + #"{"role": "assistant", "content": "b"}]}"#,
    ])
  func everyFormatOfAPairIsRead(json: String) throws {
    let pair = Preference(
      prompt: [Self.question], chosen: [Self.answer], rejected: [Message(.assistant, "b")])
    #expect(try record(json) == .pair(pair))
  }

  @Test func pairsOfSeveralTurnsAreRead() throws {
    let dialogue = try record(
      #"{"chosen": "\n\nHuman: q\n\nAssistant: x\n\nHuman: y \n\nAssistant: a", "#
        + #""rejected": "\n\nHuman: q\n\nAssistant: x\n\nHuman: y\n\nAssistant: b\n\nHuman: z"#
        + #"\n\nAssistant: c", "margin": 0.5}"#)
    let prompt = [Self.question, Message(.assistant, "x"), Message(.user, "y")]
    #expect(
      dialogue
        == .pair(
          Preference(
            prompt: Conversation(prompt), chosen: [Self.answer],
            rejected: [Message(.assistant, "b"), Message(.user, "z"), Message(.assistant, "c")],
            margin: 0.5)))
    // If the first answers are equal and the prompts after them differ, both sides answer the first
    // prompt.
    let later = try record(
      #"{"chosen": "\n\nHuman: q\n\nAssistant: x\n\nHuman: y\n\nAssistant: a", "#
        + #""rejected": "\n\nHuman: q\n\nAssistant: x\n\nHuman: z\n\nAssistant: b"}"#)
    guard case .pair(let pair) = later else { throw RecordDefect.equalSides }
    #expect(pair.prompt == [Self.question] && pair.chosen.count == 3 && pair.rejected.count == 3)
    // Texts without a prompt.
    #expect(
      try record(#"{"chosen": "a", "rejected": "b"}"#)
        == .pair(
          Preference(prompt: [], chosen: [Self.answer], rejected: [Message(.assistant, "b")])))
  }

  @Test func labelsAndPromptsAreRead() throws {
    #expect(
      try record(#"{"text": "t", "label": "good"}"#)
        == .labelled(text: "t", label: .name("good")))
    #expect(
      try record(#"{"text": "t", "label": "1"}"#) == .labelled(text: "t", label: .name("1")))
    #expect(
      try record(#"{"text": "t", "label": 1.5}"#) == .labelled(text: "t", label: .number(1.5)))
    #expect(
      try record(#"{"text": "t", "label": true}"#)
        == .labelled(text: "t", label: .name("true")))
    #expect(try record(#"{"prompt": "q"}"#) == .prompt([Self.question]))
    #expect(
      try record(#"{"messages": [{"role": "user", "content": "q"}]}"#) == .prompt([Self.question]))
  }

  @Test func everyRecordHasItsLine() throws {
    let conversation = #"{"question": "q", "answer": "a"}"#
    let lines = try read("a.jsonl.gz", "\u{FEFF}\(conversation)\r\n\n  \n\(conversation)\n").records
    #expect(lines.map(\.place.line) == [1, 4])
    let list = """

      [
        {
          "question": "q", "answer": "a [\\"]"
        }, {"question": "q",
          "answer": "a"},
        \(conversation)]
      """
    let elements = try read("a.json", list).records
    #expect(elements.map(\.place.line) == [3, 5, 7])
    #expect(elements.dropFirst().allSatisfy { $0.record == Self.asked })
    #expect(try read("b.json", "\(conversation)\n\(conversation)\n").records.count == 2)
    let table = "question,answer,note\r\n\"q\",a,\n\n\"1,\n\"\"2\"\"\",\"a\nb\",\"\"\nq,a,x"
    let rows = try read("a.csv", table).records
    #expect(rows.map(\.place.line) == [2, 4, 7])
    #expect(
      rows[1].record
        == .conversation(Conversation([Message(.user, "1,\n\"2\""), Message(.assistant, "a\nb")])))
    #expect(rows[0].record == Self.asked && rows[2].record == Self.asked)
  }

  @Test func tablesHoldNumbersAndListsAsText() throws {
    let labels = try read("a.csv", "text,label\na,1\nb,-2.5\nc,good\n").records.map(\.record)
    #expect(
      labels == [
        .labelled(text: "a", label: .number(1)), .labelled(text: "b", label: .number(-2.5)),
        .labelled(text: "c", label: .name("good")),
      ])
    let list =
      #""[{""role"": ""user"", ""content"": ""q""}, {""role"": ""assistant"", ""content"": ""a""}]""#
    #expect(try read("b.csv", "messages\n\(list)\n").records.map(\.record) == [Self.asked])
    let pairs = try read("c.csv", "prompt,chosen,rejected,margin\nq,a,b,\nq,a,b,2\n").records
    let margins = pairs.map { if case .pair(let pair) = $0.record { pair.margin } else { -1.0 } }
    #expect(margins == [nil, 2])
  }

  static let conversation = #"{"question": "q", "answer": "a"}"#

  @Test(
    arguments: [
      (#"{"question": "q", "answer": "a""#, .malformed(reason: "the document ends early")),
      (#"{"question": "q", "question": "a"}"#, .malformed(reason: "key 'question' is repeated")),
      ("[1, 2]", .notAnObject(found: "a list")),
      ("3", .notAnObject(found: "a number")),
      (#"{"Prompt": "q", "id": 3}"#, .unknownForm(fields: ["Prompt", "id"])),
      ("{}", .unknownForm(fields: [])),
      (
        #"{"prompt": 3, "completion": "a"}"#,
        .wrongKind(field: "prompt", found: "a number", expected: "a text or a list of messages")
      ),
      (
        #"{"messages": "q"}"#,
        .wrongKind(field: "messages", found: "a text", expected: "a list of messages")
      ),
      (
        #"{"messages": ["q"]}"#,
        .wrongKind(field: "messages[0]", found: "a text", expected: "a message")
      ),
      (
        #"{"messages": [{"role": "user", "content": [{"type": "text"}]}]}"#,
        .wrongKind(
          field: "messages[0].content", found: "a list with an object",
          expected: "a text or a list of text parts")
      ),
      (
        #"{"messages": [{"role": "user"}]}"#,
        .wrongKind(field: "messages[0].content", found: "nothing", expected: "a text")
      ),
      (#"{"messages": []}"#, .noMessages(field: "messages")),
      (#"{"messages": [{"role": "critic", "content": "q"}]}"#, .unknownRole("critic")),
      (#"{"question": "q", "answer": " \n"}"#, .emptyAnswer),
      (#"{"prompt": "q", "chosen": "a", "rejected": ""}"#, .emptyAnswer),
      (
        #"{"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant:"}"#,
        .emptyAnswer
      ),
      (#"{"prompt": "q", "chosen": "a", "rejected": "a"}"#, .equalSides),
      (
        #"{"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: a "}"#,
        .equalSides
      ),
      (
        #"{"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: p\n\nAssistant: b"}"#,
        .differentPrompts
      ),
      (
        #"{"prompt": "q", "chosen": "a", "rejected": "b", "margin": "x"}"#,
        .wrongKind(field: "margin", found: "a text", expected: "a number")
      ),
      (
        #"{"prompt": "q", "chosen": "a", "rejected": "b", "margin": 1e999}"#,
        .malformed(reason: "number 1e999 is out of range")
      ),
      (
        #"{"text": "t", "label": -1e999}"#, .malformed(reason: "number -1e999 is out of range")
      ),
      (#"{"text": "", "label": 1}"#, .emptyText),
      (
        #"{"text": "t", "label": [1]}"#,
        .wrongKind(field: "label", found: "a list", expected: "a name or a number")
      ),
    ] as [(String, RecordDefect)])
  func badRecordsAreReportedOrSkipped(json: String, expected: RecordDefect) throws {
    let found = try defect("\(Self.conversation)\n\(json)\n")
    #expect(found?.0 == expected)
    #expect(found?.line == 2)
    // The record is left out without affecting the others.
    let (records, skipped) = try read(
      "a.jsonl", "\(Self.conversation)\n\(json)\n\(Self.conversation)\n", skipsBad: true)
    #expect(records.map(\.place.line) == [1, 3] && skipped.count == 1)
    #expect(skipped.first.first?.description.contains("a.jsonl:2 ") == true)
  }

  @Test func badElementsOfAListAreReported() throws {
    let list =
      "[\(Self.conversation),\n{\"question\": \"q\",\n \"answer\" \"a\"},\n\(Self.conversation)]"
    #expect(try defect(list, name: "a.json")?.line == 3)
    let (records, skipped) = try read("a.json", list, skipsBad: true)
    #expect(records.map(\.place.line) == [1, 4] && skipped.count == 1)
    for (text, reason, line) in [
      ("[\(Self.conversation)", "the list has no end", 1),
      ("[\(Self.conversation)]\n]", "text follows the list", 2),
      ("[\(Self.conversation)\n\(Self.conversation)]", "',' or ']' is expected", 2),
    ] {
      let found = try defect(text, name: "a.json")
      #expect(found?.0 == .malformed(reason: reason) && found?.line == line)
      #expect(try read("a.json", text, skipsBad: true).skipped.count == 1)
    }
  }

  @Test func badRowsOfATableAreReported() throws {
    for (row, reason) in [
      ("q", "1 field under 2 column names"),
      ("q,a,", "3 fields under 2 column names"),
      ("\"q\"x,a", "text follows a field in quotation marks"),
      ("q\"x,a", "a quotation mark inside a field that does not begin with one"),
    ] {
      let table = "question,answer\nq,a\n\(row)\nq,a\n"
      let found = try defect(table, name: "a.csv")
      #expect(found?.0 == .malformed(reason: reason) && found?.line == 3)
      let (records, skipped) = try read("a.csv", table, skipsBad: true)
      #expect(records.map(\.place.line) == [2, 4] && skipped.count == 1)
    }
    let open = try defect("question,answer\n\"q,a\nq,a\n", name: "a.csv")
    #expect(open?.0 == .malformed(reason: "a field in quotation marks has no end"))
    #expect(open?.line == 2)
    #expect(throws: DatasetError.self) { try read("a.csv", "text,text\n", skipsBad: true) }
  }

  @Test func filesWithoutRecordsAreRefused() throws {
    for (name, text) in [
      ("a.jsonl", "\n \n"), ("a.json", "[ ]"), ("a.json", " "), ("a.csv", "text,label\n"),
    ] {
      let error = #expect(throws: DatasetError.self) { try read(name, text, skipsBad: true) }
      guard case .emptyFile = error else {
        Issue.record("\(name) \(text): \(String(describing: error))")
        continue
      }
    }
  }

  @Test func aLineThatIsNotTextIsOneBadRecord() throws {
    let scratch = try Scratch()
    let line = Array(Self.conversation.utf8)
    let path = try scratch.write("a.jsonl", line + [0x0A, 0x22, 0xFF, 0x22, 0x0A] + line)
    let files = [try SourceFile(path, of: .records)]
    var strict = RecordReader(files)
    _ = try strict.next()
    #expect(throws: DatasetError.notUTF8(path: path, offset: line.count + 2)) { try strict.next() }
    var reader = RecordReader(files, skipsBad: true)
    #expect(try reader.next() != nil && reader.next()?.place.line == 3 && reader.next() == nil)
    #expect(reader.skipped.count == 1)
    // A `.json` file that is not text has no readable records.
    let list = try scratch.write("a.json", [0x5B, 0xFF, 0x5D])
    var other = RecordReader([try SourceFile(list, of: .records)], skipsBad: true)
    #expect(throws: DatasetError.notUTF8(path: list, offset: 1)) { try other.next() }
  }

  @Test func theSentenceForAnUnknownFormatIsAsExpected() {
    let place = RecordPlace(path: "d.jsonl", line: 3)
    let known =
      #""chosen" with "rejected" (a preference pair, also with "prompt" and "margin"), "messages" "#
      + #"(a conversation), "conversations" (a ShareGPT conversation), "instruction" with "output" "#
      + #"(an Alpaca instruction, also with "input"), "prompt" with "completion" (a prompt with its "#
      + #"answer), "prompt" with "response" (a prompt with its answer), "question" with "answer" "#
      + #"(a question with its answer), "text" with "label" (a labelled text), "tokens" with "tags" "#
      + #"(words with tags), "prompt" (a prompt alone)"#
    func sentence(_ fields: String...) -> String {
      DatasetError.badRecord(.unknownForm(fields: fields), at: place).description
    }
    #expect(
      sentence("question", "anwser", "id")
        == "d.jsonl:3 has \"question\", \"anwser\", \"id\", the fields of no known record format: it "
        + "is nearest to a question with its answer, but lacks \"answer\" (it has \"anwser\"); "
        + "read it with data.fields: {answer: anwser} for a question with its answer, or use one of "
        + known)
    #expect(
      sentence("Text", "label").contains("nearest to a labelled text, but lacks \"text\" (it"))
    #expect(sentence("chosen").contains("nearest to a preference pair, but lacks \"rejected\";"))
    #expect(
      sentence("a", "b")
        == "d.jsonl:3 has \"a\", \"b\", the fields of no known record format; read it with "
        + "data.fields: {text: a, label: b} for a labelled text, or use one of " + known)
    for (fields, mapping) in [
      (["review", "class"], "{text: review, label: class} for a labelled text"),
      (["id", "stars", "comment"], "{text: comment, label: stars} for a labelled text"),
      (["input", "output"], "{prompt: input, completion: output} for a prompt with its answer"),
      (["query", "winner", "loser"], "{chosen: winner, rejected: loser} for a preference pair"),
      (["dialog"], "{messages: dialog} for a conversation"),
      (["words", "ner_tags"], "{tokens: words, tags: ner_tags} for words with tags"),
    ] {
      let error = RecordDefect.unknownForm(fields: fields)
      #expect(error.description.contains("read it with data.fields: \(mapping), or"), "\(error)")
    }
    #expect(
      sentence().hasPrefix("d.jsonl:3 has no field at all, the fields of no known record format;"))
  }
}
