import Files
import Tokenizers

/// The fields of a record as they are in its file, before its format is determined.
struct RecordFields {
  /// The fields in the order of the file, without null fields, because some writers give every record
  /// the fields of all records.
  let members: [(name: String, value: JSONValue)]
  /// The place of the record.
  let place: RecordPlace
  /// True when the record is a row of a table, in which numbers and lists are texts too.
  let isTable: Bool

  /// Reads the fields of the JSON object `bytes`, which begins on the line of `place`.
  init(json bytes: [UInt8], at place: RecordPlace) throws(DatasetError) {
    let value: JSONValue
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

  /// Creates the fields of a row of a table.
  init(texts: [(String, String)], at place: RecordPlace) {
    members = texts.map { ($0, .string($1)) }
    self.place = place
    isTable = true
  }

  /// The value of `field`; nil when it is missing.
  subscript(field: String) -> JSONValue? {
    members.first { $0.name == field }?.value
  }

  /// Returns the text in `field`; nil when it is missing.
  func text(_ field: String) throws(RecordDefect) -> String? {
    guard let value = self[field] else { return nil }
    guard let text = value.string else {
      throw .wrongKind(field: field, found: value.kind, expected: "a text")
    }
    return text
  }

  /// Returns the number in `field`; nil when it is missing, or an empty cell of a table.
  func number(_ field: String) throws(RecordDefect) -> Double? {
    guard let value = self[field] else { return nil }
    if let number = value.number { return number }
    if isTable, let text = value.string {
      if text.isEmpty { return nil }
      if let number = Double(text), number.isFinite { return number }
    }
    throw .wrongKind(field: field, found: value.kind, expected: "a number")
  }

  /// Returns the list of texts in `field`, which is JSON in a table; whole numbers count as texts.
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

  /// Returns the list of messages in `field`, which is JSON in a table; nil when the field is missing,
  /// or when it is a text and `orText` is true.
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
  /// The names of the roles in OpenAI's and ShareGPT's files.
  private static let roles: [String: Role] = [
    "system": .system, "developer": .system, "user": .user, "human": .user, "assistant": .assistant,
    "gpt": .assistant,
  ]

  /// Reads a message from OpenAI's `role` and `content`, or ShareGPT's `from` and `value`.
  init(_ element: JSONValue, field: String) throws(RecordDefect) {
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

extension JSONValue {
  /// The type of the value as a phrase for error sentences.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "true or false"
    case .integer, .number: "a number"
    case .string: "a text"
    case .array: "a list"
    case .object: "an object"
    }
  }
}
