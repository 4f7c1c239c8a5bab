import Testing
import Tokenizers

@testable import Datasets

struct RecordSetTests {
  private static func line(_ question: String, _ answer: String) -> String {
    #"{"question": "\#(question)", "answer": "\#(answer)"}"# + "\n"
  }

  /// Returns the contents of the first messages of conversations.
  private static func prompts(_ records: [LocatedRecord]) -> Set<String> {
    Set(
      records.compactMap { record in
        guard case .conversation(let conversation) = record.record else { return nil }
        return conversation.messages[0].content
      })
  }

  @Test func aFractionIsHeldOutByPrompt() throws {
    let scratch = try Scratch()
    let text = (0..<600).map { Self.line("question \($0 % 300)", "answer \($0)") }.joined()
    try scratch.write("a.jsonl", text)
    let set = try RecordSet(reading: [scratch.path], validation: .fraction(0.2))
    #expect(set.train.count + set.validation.count == 600)
    #expect(80...160 ~= set.validation.count, "\(set.validation.count)")
    #expect(Self.prompts(set.train).isDisjoint(with: Self.prompts(set.validation)))
    // Added records do not move a record to another side.
    try scratch.write("b.json", "[\(Self.line("another question", "answer"))]")
    let more = try RecordSet(reading: [scratch.path("*")], validation: .fraction(0.2))
    #expect(Self.prompts(set.validation).isSubset(of: Self.prompts(more.validation)))
    #expect(Self.prompts(set.train).isSubset(of: Self.prompts(more.train)))
    #expect(more.train.count + more.validation.count == 601)
    #expect(throws: DatasetError.oneSide(records: 1, fraction: 0.0001)) {
      try RecordSet(reading: [scratch.path("b.json")], validation: .fraction(0.0001))
    }
  }

  @Test func thePromptDeterminesTheSide() {
    let system = Message(.system, "s")
    let question = Message(.user, "q")
    let answer = Message(.assistant, "a")
    let other = Message(.assistant, "b")
    func side(_ record: Record) -> String { String(decoding: record.splitKey, as: UTF8.self) }
    let longer = [system, question, answer, Message(.user, "r"), other]
    #expect(side(.conversation(Conversation(longer))) == "sq")
    #expect(side(.prompt([system, question])) == "sq")
    #expect(
      side(
        .pair(
          Preference(
            prompt: Conversation(longer.dropLast()), chosen: [answer], rejected: [other]))) == "sq")
    // Without a prompt, the key is the whole chosen side.
    #expect(side(.pair(Preference(prompt: [], chosen: [answer], rejected: [other]))) == "a")
    #expect(side(.labelled(text: "t", label: .name("a"))) == "t")
  }

  /// Records of one text stay together, and so may the only ones of a class.
  @Test func aClassThatIsHeldOutWholeIsNamed() throws {
    let records = located(
      (0..<40).map {
        $0 % 2 == 0
          ? .labelled(text: "a b c", label: .name("x")) : .labelled(text: "d e", label: .name("y"))
      })
    let set = try RecordSet(records, validation: 0.1)
    guard case .labelled(_, .name(let name)) = set.train[0].record else { return }
    let other = name == "x" ? "y" : "x"
    #expect(set.oneClass(name) == .oneClassToTrain(name, heldOut: other))
    let tagged = located([.tagged(words: ["a"], tags: ["O"])])
    #expect(try RecordSet(tagged, validation: 0).oneClass("O") == .oneClass("O"))
  }

  @Test func trainingAndValidationCanHaveSeparateFiles() throws {
    let scratch = try Scratch()
    try scratch.write("train/a.csv", "prompt,completion\nq,a\n")
    try scratch.write("train/notes.txt", "not read")
    try scratch.write("test.jsonl", Self.line("q", "a") + Self.line("r", "b"))
    let set = try RecordSet(
      reading: ["train"], validation: .files(["test.jsonl"]), relativeTo: scratch.path)
    #expect(set.train.count == 1 && set.validation.count == 2)
    #expect(set.ignored == [scratch.path("train/notes.txt")])
    #expect(throws: DatasetError.inBoth(path: scratch.path("test.jsonl"))) {
      try RecordSet(
        reading: [scratch.path("test.jsonl")], validation: .files([scratch.path("*.jsonl")]))
    }
    #expect(
      throws: DatasetError.unsupportedKind(
        path: scratch.path("train/notes.txt"),
        supported: ".jsonl, .json, .csv, .jsonl.gz, .json.gz or .csv.gz")
    ) { try RecordSet(reading: [scratch.path("train/notes.txt")], validation: .fraction(0)) }
  }

  @Test func badRecordsAreCounted() throws {
    let scratch = try Scratch()
    try scratch.write("a.jsonl", Self.line("q", "a") + Self.line("q", "") + Self.line("r", "b"))
    #expect(throws: DatasetError.self) {
      try RecordSet(reading: [scratch.path], validation: .fraction(0))
    }
    let set = try RecordSet(reading: [scratch.path], validation: .fraction(0), skipsBad: true)
    #expect(set.train.count == 2 && set.skipped.count == 1)
    // A file without a usable record is refused all the same, with the reason.
    try scratch.write("b.jsonl", Self.line("q", ""))
    let error = #expect(throws: DatasetError.self) {
      try RecordSet(reading: [scratch.path("b.jsonl")], validation: .fraction(0), skipsBad: true)
    }
    #expect(
      error?.description == "no record is left to use, 1 was left out: \(scratch.path("b.jsonl"))"
        + ":1 has an empty answer, which cannot be trained on; fill it or remove the record")
  }

  @Test func theIdentityDependsOnTheContentOnly() throws {
    func identity(_ train: [Record], _ validation: Double = 0) throws -> String {
      try RecordSet(located(train), validation: validation).identity
    }
    let conversation = Record.conversation(
      Conversation([Message(.user, "q"), Message(.assistant, "a")]))
    let all: [[Record]] = [
      [conversation],
      [.conversation(Conversation([Message(.user, "qa"), Message(.assistant, "")]))],
      [conversation, conversation],
      [.prompt([Message(.user, "q")])],
      [.labelled(text: "q", label: .name("1"))],
      [.labelled(text: "q", label: .number(1))],
      [.pair(Preference(prompt: [], chosen: [Message(.user, "q")], rejected: []))],
      [.pair(Preference(prompt: [Message(.user, "q")], chosen: [], rejected: []))],
      [.pair(Preference(prompt: [Message(.user, "q")], chosen: [], rejected: [], margin: 1))],
    ]
    #expect(try Set(all.map { try identity($0) }).count == all.count)
    // The place of a record does not matter, its side of the split does.
    let elsewhere = LocatedRecord(conversation, at: RecordPlace(path: "b.json", line: 9))
    #expect(try RecordSet([elsewhere], validation: 0).identity == identity([conversation]))
    let many = (0..<50).map { Record.prompt([Message(.user, "\($0)")]) }
    #expect(try identity(many, 0.1) != identity(many, 0.2))
    #expect(try identity([conversation]) == "1 and 0 with checksum 1071b2ca9906152e")
  }

  @Test func emptyFilesBesideOthersAreCounted() throws {
    let scratch = try Scratch()
    let full = try scratch.write("f/b.jsonl", Array(RecordReaderTests.conversation.utf8))
    for (name, text) in [
      ("a.jsonl", ""), ("c.json", "[]"), ("d.csv", ""), ("e.csv", "text,label\n"),
      ("g.jsonl.gz", ""),
    ] { try scratch.write("f/\(name)", Array(text.utf8)) }
    let set = try RecordSet(reading: [scratch.path("f")], validation: .fraction(0))
    #expect(set.train.map(\.place.path) == [full] && set.skipped.count == 0)
    #expect(
      set.skipped.emptyFilesNote == "5 empty files left out: \(scratch.path("f/a.jsonl")) …")
  }
}
