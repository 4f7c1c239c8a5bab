import Files
import Foundation
import Testing
import Tokenizers

@testable import Datasets

/// Records in the forms that other tools write: with tools, contents in parts, labels of answers, other
/// names of fields, and fields that change what a record means.
struct RecordFormTests {
  static func record(
    _ json: String, names: [(known: String, name: String)] = [], file: String = "a.jsonl"
  ) throws -> Record {
    let scratch = try Scratch()
    let path = try scratch.write(file, Array(json.utf8))
    var reader = RecordReader(
      [try SourceFile(path, of: .records)], names: try FieldNames(names))
    let record = try #require(try reader.next())
    return record.record
  }

  private static func defect(
    _ json: String, names: [(known: String, name: String)] = []
  ) throws -> RecordDefect? {
    do {
      _ = try record(json, names: names)
      return nil
    } catch DatasetError.badRecord(let defect, _) {
      return defect
    }
  }

  private static let question = Message(.user, "q")
  private static let answer = Message(.assistant, "a")

  @Test func conversationThatEndsWithTheUserKeepsItsAnswers() throws {
    let messages = #"{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}"#
    let record = try Self.record(
      #"{"messages": [\#(messages), {"role": "user", "content": "thanks"}]}"#)
    let conversation = Conversation([Self.question, Self.answer, Message(.user, "thanks")])
    #expect(record == .conversation(conversation))
    #expect(conversation.prompt == conversation)
    #expect(Conversation([Self.question, Self.answer]).prompt == [Self.question])
  }

  @Test func contentInPartsIsTheirText() throws {
    let parts = #"[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]"#
    #expect(
      try Self.record(#"{"messages": [{"role": "user", "content": \#(parts)}]}"#)
        == .prompt([Message(.user, parts: ["a", "b"])]))
    #expect(
      try Self.defect(
        #"{"messages": [{"role": "user", "content": [{"type": "image", "url": "x"}]}]}"#)
        == .unsupportedPart("image", field: "messages[0].content"))
  }

  @Test func toolsCallsAndResultsAreRead() throws {
    let call: JSONValue = [
      "id": "1", "type": "function", "function": ["name": "f", "arguments": ["x": 1]],
    ]
    let expected = Conversation(
      [
        Self.question, Message(.assistant, parts: nil, fields: ["tool_calls": [call]]),
        Message(.tool, "2", fields: ["tool_call_id": "1"]), Self.answer,
      ], tools: [["type": "function"]])
    let text = #"""
      {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": null,
      "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}}]},
      {"role": "tool", "content": "2", "tool_call_id": "1", "name": null},
      {"role": "assistant", "content": "a", "tool_calls": []}], "tools": TOOLS}
      """#
    for tools in [#"[{"type": "function"}]"#, #""[{\"type\": \"function\"}]""#] {
      let json = text.replacing("TOOLS", with: tools).replacing("\n", with: " ")
      #expect(try Self.record(json) == .conversation(expected))
    }
    // LLaMA-Factory's form of the same.
    let function: JSONValue = [
      "type": "function", "function": ["name": "f", "arguments": ["x": 1]],
    ]
    #expect(
      try Self.record(
        #"{"conversations": [{"from": "human", "value": "q"}, {"from": "function_call", "value": "#
          + #""{\"name\": \"f\", \"arguments\": {\"x\": 1}}"}, {"from": "observation", "value": "2"}, "#
          + #"{"from": "gpt", "value": "a"}], "tools": "[]", "system": ""}"#)
        == .conversation(
          Conversation(
            [
              Self.question, Message(.assistant, parts: nil, fields: ["tool_calls": [function]]),
              Message(.tool, "2"), Self.answer,
            ], tools: [])))
  }

  @Test(
    arguments: [
      #"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "#
        + #""label": true}"#,
      #"{"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "#
        + #""kto_tag": true}"#,
      #"{"prompt": "q", "completion": "a", "label": 1}"#,
      #"{"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "#
        + #""content": "a"}], "label": true}"#,
      #"{"instruction": "q", "output": "a", "kto_tag": true}"#,
    ])
  func answersWithALabelAreUnpairedPreferences(json: String) throws {
    func judged(_ isDesirable: Bool) -> Record {
      .unpaired(
        UnpairedPreference(prompt: [Self.question], answer: [Self.answer], isDesirable: isDesirable)
      )
    }
    #expect(try Self.record(json) == judged(true))
    let bad = json.replacing("true", with: "false").replacing(#""label": 1"#, with: #""label": 0"#)
    #expect(try Self.record(bad) == judged(false))
    #expect(
      try Self.record("prompt,completion,label\nq,a,False\n", file: "a.csv") == judged(false))
  }

  @Test func pairsOfLLaMAFactoryAreRead() throws {
    let expected = Record.pair(
      Preference(
        prompt: [Self.question], chosen: [Self.answer], rejected: [Message(.assistant, "b")]))
    #expect(
      try Self.record(
        #"{"conversations": [{"from": "human", "value": "q"}], "chosen": {"from": "gpt", "value": "#
          + #""a"}, "rejected": {"from": "gpt", "value": "b"}}"#) == expected)
    #expect(
      try Self.record(
        #"{"messages": [{"role": "user", "content": "q"}], "chosen": {"role": "assistant", "#
          + #""content": "a"}, "rejected": {"role": "assistant", "content": "b"}}"#) == expected)
    #expect(
      try Self.record(
        #"{"instruction": "q", "input": "", "history": [], "chosen": "a", "rejected": "b"}"#)
        == expected)
  }

  @Test func alpacaRecordsHaveAHistoryAndASystemMessage() throws {
    let expected = Record.conversation([
      Message(.system, "s"), Message(.user, "p"), Message(.assistant, "o"), Self.question,
      Self.answer,
    ])
    #expect(
      try Self.record(
        #"{"instruction": "q", "output": "a", "system": "s", "history": [["p", "o"]]}"#) == expected
    )
    #expect(
      try Self.record(
        "instruction,output,system,history\nq,a,s,\"[[\"\"p\"\", \"\"o\"\"]]\"\n", file: "a.csv")
        == expected)
    #expect(
      try Self.defect(#"{"instruction": "q", "output": "a", "history": ["p", "o"]}"#)
        == .wrongKind(
          field: "history", found: "a text", expected: "a list of pairs of question and answer"))
  }

  /// A cell of a table is a text unless its JSON is messages.
  @Test func answersInJSONAreTexts() throws {
    for answer in [#"{"name": "Ann"}"#, "[1, 2]", "[]"] {
      let cell = answer.replacingOccurrences(of: "\"", with: "\"\"")
      #expect(
        try Self.record("prompt,completion\nextract,\"\(cell)\"\n", file: "a.csv")
          == .conversation(
            Conversation([Message(.user, "extract"), Message(.assistant, answer)])), "\(answer)")
    }
  }

  @Test(
    arguments: [
      (#"{"prompt": "q", "completion": "a", "weight": 0.5}"#, "weight"),
      (#"{"prompt": "q", "completion": "a", "images": ["x.png"]}"#, "images"),
      (#"{"prompt": "q", "label": true}"#, "label"),
      (#"{"text": "t", "label": 1, "system": "s"}"#, "system"),
      (#"{"text": "t", "text_pair": "u", "label": 1}"#, "text_pair"),
      (#"{"question": "q", "context": "c", "answer": "a"}"#, "context"),
      (#"{"prompt": "q", "chosen": "a", "rejected": "b", "weight": 2}"#, "weight"),
      (
        #"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}], "#
          + #""system": "t"}"#, "system"
      ),
      (#"{"messages": [{"role": "user", "content": "q"}], "label": false}"#, "label"),
    ])
  func fieldsThatChangeTheMeaningAreRefusedByName(json: String, field: String) throws {
    let defect = try Self.defect(json)
    guard case .unusedField(field, _, _)? = defect else {
      Issue.record("\(json): \(String(describing: defect))")
      return
    }
    let scratch = try Scratch()
    let path = try scratch.write("a.jsonl", Array(json.utf8))
    var reader = RecordReader([try SourceFile(path, of: .records)])
    let error = #expect(throws: DatasetError.self) { try reader.next() }
    #expect(error?.description.contains("\"\(field)\"") == true)
  }

  @Test func fieldsThatChangeNothingAreAccepted() throws {
    let asked = Record.conversation([Self.question, Self.answer])
    for extra in [
      #""weight": 1"#, #""images": []"#, #""system": """#, #""history": []"#, #""label": null"#,
      #""id": 7, "source": "x", "score": 0.5"#, #""input": "", "train": true"#,
    ] {
      #expect(try Self.record(#"{"prompt": "q", "completion": "a", \#(extra)}"#) == asked)
    }
  }

  @Test func fieldsAreReadByOtherNames() throws {
    let labelled = Record.labelled(text: "t", label: .name("x"))
    let names = [(known: "text", name: "sentence"), (known: "label", name: "intent")]
    #expect(try Self.record(#"{"sentence": "t", "intent": "x"}"#, names: names) == labelled)
    #expect(try Self.record("intent,sentence\nx,t\n", names: names, file: "a.csv") == labelled)
    #expect(
      try Self.record(#"[{"sentence": "t", "intent": "x"}]"#, names: names, file: "a.json")
        == labelled)
    // A name replaces a field of the known name.
    #expect(
      try Self.record(#"{"text": "no", "sentence": "t", "intent": "x"}"#, names: names) == labelled)
    #expect(
      try Self.record(
        #"{"dialog": [{"speaker": "user", "says": "q"}, {"speaker": "assistant", "says": "a"}]}"#,
        names: [("messages", "dialog"), ("role", "speaker"), ("content", "says")])
        == .conversation([Self.question, Self.answer]))
    #expect(
      try Self.record(
        #"{"q": "q", "good": "a", "bad": "b"}"#,
        names: [("prompt", "q"), ("chosen", "good"), ("rejected", "bad")])
        == .pair(
          Preference(
            prompt: [Self.question], chosen: [Self.answer], rejected: [Message(.assistant, "b")])))
    #expect(
      try Self.defect(#"{"sentence": "t", "label": "x"}"#, names: [("text", "sentnce")])
        == .missingMappedField("sentnce", for: "text", found: ["sentence", "label"]))
    let error = #expect(throws: DatasetError.self) { try FieldNames([("txt", "sentence")]) }
    #expect(error?.description.contains("a field \"txt\"") == true)
  }

  /// A misspelt name is refused, also where the record has the field under its own name, and where the
  /// field is optional.
  @Test func misspeltNamesAreRefused() throws {
    let labelled = #"{"text": "t", "label": "x"}"#
    #expect(
      try Self.defect(labelled, names: [("text", "sentense")])
        == .missingMappedField("sentense", for: "text", found: ["text", "label"]))
    let chat = #"{"messages": [{"role": "user", "content": "q"}], "system": "s"}"#
    #expect(
      try Self.defect(chat, names: [("system", "sistem")])
        == .missingMappedField("sistem", for: "system", found: ["messages", "system"]))
    #expect(
      try Self.defect(chat, names: [("role", "speeker")])
        == .missingMappedField("speeker", for: "role", found: ["role", "content"]))
    // Fields that change places are no misspelling.
    #expect(
      try Self.record(labelled, names: [("text", "label"), ("label", "text")])
        == .labelled(text: "x", label: .name("t")))

    let scratch = try Scratch()
    func set(_ lines: String..., validation: String? = nil, names: [(String, String)]) throws {
      let train = try scratch.write("a.jsonl", Array(lines.joined(separator: "\n").utf8))
      let other = try validation.map { try scratch.write("b.jsonl", Array($0.utf8)) }
      _ = try RecordSet(
        reading: [train], validation: other.map { .files([$0]) } ?? .fraction(0),
        names: try FieldNames(names.map { (known: $0, name: $1) }))
    }
    let plain = #"{"prompt": "q", "completion": "a", "score": 1}"#
    let ruled = #"{"prompt": "q", "completion": "a", "rule": "s"}"#
    #expect(
      throws: DatasetError.unusedMappedField(
        "role", for: "system", found: ["prompt", "completion", "score"])
    ) { try set(plain, plain, names: [("system", "role")]) }
    // One record with the field is enough.
    try set(plain, ruled, names: [("system", "rule")])
    try set(plain, validation: ruled, names: [("system", "rule")])
    try set(ruled, validation: plain, names: [("system", "rule")])
  }
}
