import Tokenizers

/// The fields of a record as its file has them, before it is known what they make.
struct RecordFields {
  /// In the order of the file; those that are null are left out, as some writers give every record
  /// the fields of all.
  let members: [(name: String, value: JSONElement)]
  /// Where the record stands.
  let place: RecordPlace
  /// Whether every value is a text, so that numbers and lists are in texts too.
  let isTable: Bool

  /// The fields of the JSON object `bytes`, which begin on the line of `place`.
  init(json bytes: [UInt8], at place: RecordPlace) throws(DatasetError) {
    let value: JSONElement
    do {
      value = try JSONReader.read(bytes)
    } catch {
      let line = RecordPlace(path: place.path, line: place.line + error.line - 1)
      throw .badRecord(.malformed(reason: error.reason), at: line)
    }
    guard let members = value.members else {
      throw .badRecord(.notAnObject(found: value.kind), at: place)
    }
    self.members = members.filter { !$0.value.isNull }.map { ($0.key, $0.value) }
    self.place = place
    isTable = false
  }

  /// The fields of a row of a table.
  init(texts: [(String, String)], at place: RecordPlace) {
    members = texts.map { ($0, .string($1)) }
    self.place = place
    isTable = true
  }

  /// The value of `field`; nil when it is not there.
  subscript(field: String) -> JSONElement? {
    members.first { $0.name == field }?.value
  }

  /// The text in `field`; nil when it is not there.
  func text(_ field: String) throws(RecordDefect) -> String? {
    guard let value = self[field] else { return nil }
    guard let text = value.string else {
      throw .wrongKind(field: field, found: value.kind, expected: "a text")
    }
    return text
  }

  /// The number in `field`; nil when it is not there, or an empty cell of a table.
  func number(_ field: String) throws(RecordDefect) -> Double? {
    guard let value = self[field] else { return nil }
    if let number = value.number { return number }
    if isTable, let text = value.string {
      if text.isEmpty { return nil }
      if let number = Double(text), number.isFinite { return number }
    }
    throw .wrongKind(field: field, found: value.kind, expected: "a number")
  }

  /// The texts in `field`, which has a list of them, in a table as JSON; whole numbers are texts too.
  func names(_ field: String) throws(RecordDefect) -> [String] {
    var value = self[field]
    if isTable, let text = value?.string, let list = try? JSONReader.read(Array(text.utf8)) {
      value = list
    }
    guard let elements = value?.array else {
      throw .wrongKind(
        field: field, found: value?.kind ?? "nothing", expected: "a list of texts")
    }
    var names: [String] = []
    for element in elements {
      let number = element.number.flatMap { Int(exactly: $0) }
      guard let name = element.string ?? number.map(String.init) else {
        throw .wrongKind(field: field, found: element.kind, expected: "a list of texts")
      }
      names.append(name)
    }
    return names
  }

  /// The messages in `field`, which has a list of them, in a table as JSON; nil when it has a text
  /// and may have one.
  func messages(_ field: String, orText: Bool) throws(RecordDefect) -> [Message]? {
    guard var value = self[field] else { return nil }
    if isTable, let text = value.string, text.first == "[",
      let list = try? JSONReader.read(Array(text.utf8))
    {
      value = list
    }
    if orText, value.string != nil { return nil }
    guard let elements = value.array else {
      throw .wrongKind(
        field: field, found: value.kind,
        expected: orText ? "a text or a list of messages" : "a list of messages")
    }
    guard !elements.isEmpty else { throw .noMessages(field: field) }
    var messages: [Message] = []
    for (index, element) in elements.enumerated() {
      messages.append(try Message(element, field: "\(field)[\(index)]"))
    }
    return messages
  }
}

extension Message {
  /// Names of the roles in OpenAI's and ShareGPT's files.
  private static let roles: [String: Role] = [
    "system": .system, "developer": .system, "user": .user, "human": .user, "assistant": .assistant,
    "gpt": .assistant,
  ]

  /// OpenAI's `role` and `content`, or ShareGPT's `from` and `value`.
  init(_ element: JSONElement, field: String) throws(RecordDefect) {
    guard element.members != nil else {
      throw .wrongKind(field: field, found: element.kind, expected: "a message")
    }
    func text(_ names: String...) throws(RecordDefect) -> String {
      for name in names {
        guard let value = element[name] else { continue }
        guard let text = value.string else {
          throw .wrongKind(field: "\(field).\(name)", found: value.kind, expected: "a text")
        }
        return text
      }
      throw .wrongKind(field: "\(field).\(names[0])", found: "nothing", expected: "a text")
    }
    let name = try text("role", "from")
    guard let role = Self.roles[name] else { throw .unknownRole(name) }
    self.init(role, try text("content", "value"))
  }
}

extension JSONElement {
  /// What it is, for people.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "true or false"
    case .integer, .real: "a number"
    case .string: "a text"
    case .array: "a list"
    case .object: "an object"
    }
  }

  /// Its number; nil when it is none.
  var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    default: nil
    }
  }
}
