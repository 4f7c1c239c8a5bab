import Files
import Foundation
import Tokenizers

extension RecordFields {
  /// Returns the record that the fields form, and the fields that it has and that are not used.
  ///
  /// Throws `DatasetError.badRecord` with the place and the defect of an invalid record.
  func record() throws(DatasetError) -> (Record, unused: Set<String>) {
    do throws(RecordDefect) {
      let names = members.map(\.name)
      let format = RecordFormat.all.first { $0.fields.allSatisfy(names.contains) }
      try checkMappedNames(format)
      guard let format else { throw .unknownForm(fields: names) }
      let record = try format.record(self)
      let texts = Set(record.messages.map(\.content))
      let unused = unread.filter { !$0.value.repeats(texts) }
      if let (field, _) = unused.first(where: FieldMeaning.changesRecord) {
        throw .unusedField(
          field, form: format.name, remedy: FieldMeaning.remedy(field, in: format))
      }
      return (record, Set(unused.map(\.name).filter(FieldMeaning.isWorthNoting)))
    } catch {
      throw .badRecord(error, at: place)
    }
  }

  /// Returns the conversation of `messages` and `answer`, after the message of the field `system` if
  /// there is one: an answer with a label if the record has a label, or a prompt if it has no answer.
  func conversation(
    _ messages: [Message], answer: [Message]? = nil
  ) throws(RecordDefect) -> Record {
    let before = try withSystem(messages)
    let whole = Conversation(before + (answer ?? []), tools: try tools())
    try Turns.check(whole.messages)
    if let (field, isDesirable) = try preferenceLabel() {
      let last = answer ?? (whole.prompt == whole ? nil : whole.messages.suffix(1))
      guard let last else {
        throw .unusedField(field, form: "a conversation that does not end with an answer")
      }
      try requireInLoss(last)
      let prompt = whole.messages.dropLast(last.count)
      return .unpaired(
        UnpairedPreference(
          prompt: Conversation(prompt, tools: whole.tools), answer: Array(last),
          isDesirable: isDesirable))
    }
    return whole.messages.contains { $0.role == .assistant } ? .conversation(whole) : .prompt(whole)
  }

  /// Refuses answers that are judged and have a message outside the loss.
  private func requireInLoss(_ answer: [Message]) throws(RecordDefect) {
    if let field = answer.lazy.compactMap(\.maskedBy).first {
      throw .unusedField(field, form: "an answer that is judged as a whole")
    }
  }

  private func withSystem(_ messages: [Message]) throws(RecordDefect) -> [Message] {
    guard let system = try text("system"), !system.isEmpty else { return messages }
    if let first = messages.first, first.role == .system {
      if first.content == system { return messages }
      throw .unusedField(
        "system", form: "messages that begin with one of the system",
        remedy: "remove one of the two")
    }
    return [Message(.system, system)] + messages
  }

  /// The names of the field that calls an answer good or bad: TRL's and LLaMA-Factory's.
  static let preferenceLabelFields = ["label", "kto_tag"]

  /// Returns the field that calls the answer good or bad, and its value; nil when there is none.
  private func preferenceLabel() throws(RecordDefect) -> (field: String, isDesirable: Bool)? {
    for field in Self.preferenceLabelFields {
      guard let value = self[field], !FieldMeaning.isNeutral(value, for: field) else { continue }
      switch value {
      case .bool(let value): return (field, value)
      case .integer(1): return (field, true)
      case .integer(0): return (field, false)
      case .string(let text) where isTable && ["true", "1"].contains(text.lowercased()):
        return (field, true)
      case .string(let text) where isTable && ["false", "0"].contains(text.lowercased()):
        return (field, false)
      default:
        throw .wrongKind(field: field, found: value.kind, expected: "true or false")
      }
    }
    return nil
  }

  func required(_ field: String) throws(RecordDefect) -> [Message] {
    try messages(field, orText: false) ?? []
  }

  /// Returns the prompt in `field`: one text as a message of the user, a dialogue in one text, or a list
  /// of messages.
  func prompt(_ field: String) throws(RecordDefect) -> [Message] {
    if let messages = try messages(field, orText: true) { return messages }
    let text = try text(field) ?? ""
    guard var messages = Turns.dialogue(text) else { return [Message(.user, text)] }
    // An empty last turn of the assistant only marks the place of the answer.
    if messages.last == Message(.assistant, "") { messages.removeLast() }
    return messages
  }

  func answer(_ field: String) throws(RecordDefect) -> [Message] {
    if let messages = try messages(field, orText: true) { return messages }
    return [Message(.assistant, try text(field) ?? "")]
  }

  /// Returns the turns of `history`, pairs of a question and its answer, and the instruction with its
  /// input.
  func alpacaPrompt() throws(RecordDefect) -> [Message] {
    let instruction = try text("instruction") ?? ""
    let input = try text("input") ?? ""
    return try history()
      + [Message(.user, input.isEmpty ? instruction : "\(instruction)\n\n\(input)")]
  }

  private func history() throws(RecordDefect) -> [Message] {
    guard let value = list("history") else { return [] }
    var messages: [Message] = []
    for turn in value.array ?? [value] {
      guard let texts = turn.array?.compactMap(\.string), texts.count == 2,
        turn.array?.count == 2
      else {
        throw .wrongKind(
          field: "history", found: turn.kind, expected: "a list of pairs of question and answer")
      }
      messages += [Message(.user, texts[0]), Message(.assistant, texts[1])]
    }
    return messages
  }

  func labelled() throws(RecordDefect) -> Record {
    guard let text = try text("text"), !Turns.isBlank(text) else { throw .emptyText }
    switch self["label"] {
    case .string(let name):
      if Turns.isBlank(name) { throw .emptyLabel }
      // Codes such as 007, 1e2 and 0x64 are names.
      let isNumber = isTable && name.wholeMatch(of: /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?/) != nil
      let number = isNumber ? Double(name).flatMap { $0.isFinite ? $0 : nil } : nil
      return .labelled(text: text, label: number.map { .number($0) } ?? .name(name))
    case .bool(let value): return .labelled(text: text, label: .name(value ? "true" : "false"))
    case let value:
      guard let number = value?.number else {
        throw .wrongKind(
          field: "label", found: value?.kind ?? "nothing", expected: "a name or a number")
      }
      return .labelled(text: text, label: .number(number))
    }
  }

  func tagged() throws(RecordDefect) -> Record {
    let (words, tags) = (try names("tokens"), try names("tags"))
    guard words.count == tags.count else {
      throw .tagsDoNotFit(words: words.count, tags: tags.count)
    }
    guard words.contains(where: { !Turns.isBlank($0) }) else { throw .emptyText }
    return .tagged(words: words, tags: tags)
  }

  /// Returns the pair, with its prompt taken from a separate field or from the common beginning of both
  /// sides.
  func preference() throws(RecordDefect) -> Preference {
    var sides = (try side("chosen"), try side("rejected"))
    var prompt: [Message] = []
    let areAnswers = [sides.0, sides.1].allSatisfy { $0.first?.role == .assistant }
    if areAnswers, let asked = try separatePrompt() {
      prompt = asked
    } else {
      guard sides.0 != sides.1 else { throw .equalSides }
      let common = try Turns.commonPrompt(sides.0, sides.1)
      prompt = Array(sides.0[..<common])
      sides = (Array(sides.0[common...]), Array(sides.1[common...]))
    }
    prompt = try withSystem(prompt)
    for side in [sides.0, sides.1] {
      try Turns.check(prompt + side)
      if side.last?.role != .assistant { throw .emptyAnswer }
      try requireInLoss(side)
    }
    guard sides.0 != sides.1 else { throw .equalSides }
    return Preference(
      prompt: Conversation(prompt, tools: try tools()), chosen: sides.0, rejected: sides.1,
      margin: try number("margin"))
  }

  /// Returns the prompt of a pair in a field of its own; nil when there is none.
  private func separatePrompt() throws(RecordDefect) -> [Message]? {
    if self["prompt"] != nil { return try prompt("prompt") }
    if self["instruction"] != nil { return try alpacaPrompt() }
    if self["question"] != nil { return try prompt("question") }
    return try ["conversations", "messages"].first { self[$0] != nil }
      .map { field throws(RecordDefect) in try required(field) }
  }

  private func side(_ field: String) throws(RecordDefect) -> [Message] {
    if let messages = try messages(field, orText: true) { return messages }
    let text = try text(field) ?? ""
    return Turns.dialogue(text) ?? [Message(.assistant, text)]
  }
}

extension Record {
  /// All messages of the record; none for labelled texts and tagged words.
  var messages: [Message] {
    switch self {
    case .conversation(let conversation), .prompt(let conversation): conversation.messages
    case .pair(let pair): pair.prompt.messages + pair.chosen + pair.rejected
    case .unpaired(let preference): preference.prompt.messages + preference.answer
    case .labelled, .tagged: []
    }
  }
}

extension JSONValue {
  /// Returns true when the value is one of `texts`, or a message or a list of messages whose contents
  /// are.
  fileprivate func repeats(_ texts: Set<String>) -> Bool {
    switch self {
    case .string(let text): texts.contains(text)
    case .array(let elements): !elements.isEmpty && elements.allSatisfy { $0.repeats(texts) }
    case .object: (self["content"] ?? self["value"])?.repeats(texts) ?? false
    case .null, .bool, .integer, .number: false
    }
  }
}

/// The turns in a list of messages.
enum Turns {
  /// Throws when an answer in `messages` is blank.
  ///
  /// The chat template decides about the order of the messages.
  static func check(_ messages: [Message]) throws(RecordDefect) {
    for message in messages
    where message.role == .assistant && !message.callsTools && isBlank(message.content) {
      throw .emptyAnswer
    }
  }

  /// Returns the number of messages that both sides of a pair begin with, up to the first answer that
  /// differs.
  static func commonPrompt(_ a: [Message], _ b: [Message]) throws(RecordDefect) -> Int {
    var common = zip(a, b).prefix { $0 == $1 }.count
    func isAnswer(_ side: [Message]) -> Bool {
      common < side.count && side[common].role == .assistant
    }
    while common > 0, !isAnswer(a) || !isAnswer(b) { common -= 1 }
    guard isAnswer(a), isAnswer(b) else { throw .differentPrompts }
    return common
  }

  /// Returns the messages of a dialogue in one text, in the format of Anthropic's hh-rlhf.
  ///
  ///     ⏎⏎Human: … ⏎⏎Assistant: … ⏎⏎Human: …
  ///
  /// White space around a message is removed. Nil when the text does not begin in this format.
  static func dialogue(_ text: String) -> [Message]? {
    let marks = [("\n\nHuman:", Role.user), ("\n\nAssistant:", Role.assistant)]
    guard text.hasPrefix(marks[0].0) || text.hasPrefix(marks[1].0) else { return nil }
    var messages: [Message] = []
    var rest = text[...]
    while let (mark, role) = marks.first(where: { rest.hasPrefix($0.0) }) {
      rest = rest.dropFirst(mark.count)
      let end = marks.compactMap { rest.range(of: $0.0)?.lowerBound }.min() ?? rest.endIndex
      let content = rest[..<end].trimmingCharacters(in: .whitespacesAndNewlines)
      messages.append(Message(role, content))
      rest = rest[end...]
    }
    return messages
  }

  /// Returns true when `text` is empty or only white space.
  static func isBlank(_ text: String) -> Bool {
    text.allSatisfy(\.isWhitespace)
  }
}
