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

  /// The names of the fields that the record's format has read.
  private final class Reads {
    var names: Set<String> = []
  }

  private let reads = Reads()
  /// The names that `data.fields` gives and the record lacks.
  private let missing: [(known: String, name: String)]
  private let names: FieldNames

  /// Reads the fields of the JSON object `bytes`, which begins on the line of `place`, by their
  /// `names`.
  init(
    json bytes: [UInt8], at place: RecordPlace, names: FieldNames = FieldNames()
  ) throws(DatasetError) {
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
    self.init(
      members.filter { !$0.value.isNull }.map { ($0.key, $0.value) }, isTable: false, at: place,
      names: names)
  }

  /// Creates the fields of a row of a table.
  init(texts: [(String, String)], at place: RecordPlace, names: FieldNames = FieldNames()) {
    self.init(
      texts.map { ($0, .string($1)) }, isTable: true, at: place, names: names)
  }

  private init(
    _ members: [(name: String, value: JSONValue)], isTable: Bool, at place: RecordPlace,
    names: FieldNames
  ) {
    self.members = names.renamed(members)
    missing = names.ofRecords.missing(in: members)
    self.names = names
    self.isTable = isTable
    self.place = place
  }

  /// The names that `data.fields` gives and the record has.
  var mappedNames: Set<String> { names.inFile.subtracting(missing.map(\.name)) }

  /// Refuses a record that lacks a name that `data.fields` gives, where the field stands under its own
  /// name or `format`, that of the record, is unknown.
  func checkMappedNames(_ format: RecordFormat?) throws(RecordDefect) {
    try names.ofRecords.refuseOwnNames(in: members, missing: missing)
    if format == nil, let (known, name) = missing.first {
      throw .missingMappedField(name, for: known, found: members.map(\.name))
    }
  }

  /// The value of `field`, which counts as read; nil when it is missing.
  subscript(field: String) -> JSONValue? {
    reads.names.insert(field)
    return members.first { $0.name == field }?.value
  }

  /// The fields that nothing has read so far, in the order of the file; the cells of a table are
  /// numbers, and true or false, where they can be.
  var unread: [(name: String, value: JSONValue)] {
    members.filter { !reads.names.contains($0.name) }.map { name, value in
      guard isTable, let text = value.string else { return (name, value) }
      if ["true", "false"].contains(text.lowercased()) {
        return (name, .bool(text.lowercased() == "true"))
      }
      return (name, Double(text).map { .number($0) } ?? list(text: text) ?? value)
    }
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

  /// Returns the value of `field`, read as JSON where it is a text of a table that holds a list or an
  /// object; nil when it is missing or an empty cell of a table.
  func list(_ field: String) -> JSONValue? {
    guard let value = self[field] else { return nil }
    guard isTable, let text = value.string else { return value }
    return text.isEmpty ? nil : list(text: text) ?? value
  }

  private func list(text: String) -> JSONValue? {
    guard text.first == "[" || text.first == "{" else { return nil }
    return try? JSONReader.read(Array(text.utf8))
  }

  /// Returns the tools in the field `tools`: a list, or a text that holds one in JSON; nil when there
  /// is none.
  func tools() throws(RecordDefect) -> JSONValue? {
    guard let value = self["tools"] else { return nil }
    if let text = value.string, Turns.isBlank(text) { return nil }
    let list = value.string.map { try? JSONReader.read(Array($0.utf8)) } ?? value
    guard let list, list.array?.allSatisfy({ $0.members != nil }) == true else {
      throw .wrongKind(
        field: "tools", found: value.kind, expected: "a list of tools, each an object")
    }
    if list.hasInexactNumber { throw .inexactNumber(field: "tools") }
    return list
  }

  /// Returns the list of texts in `field`, which is JSON in a table; whole numbers count as texts.
  func names(_ field: String) throws(RecordDefect) -> [String] {
    let value = list(field)
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
  /// or when it is a text and `orText` is true, which also allows one message without a list.
  func messages(_ field: String, orText: Bool) throws(RecordDefect) -> [Message]? {
    guard let value = list(field) ?? self[field] else { return nil }
    if orText {
      if value.string != nil || isText(field, read: value) { return nil }
      if value.members != nil { return [try Message(value, field: field, names: names)] }
    }
    guard let elements = value.array else {
      throw .wrongKind(
        field: field, found: value.kind,
        expected: orText ? "a text or a list of messages" : "a list of messages")
    }
    guard !elements.isEmpty else { throw .noMessages(field: field) }
    var messages: [Message] = []
    for (index, element) in elements.enumerated() {
      messages.append(try Message(element, field: "\(field)[\(index)]", names: names))
    }
    return messages
  }

  /// Returns true when `field` is a cell of a table whose JSON, `value`, is no message and no list of
  /// messages, such as an answer in JSON.
  private func isText(_ field: String, read value: JSONValue) -> Bool {
    guard isTable, self[field]?.string != nil else { return false }
    let elements = value.array ?? [value]
    return elements.isEmpty || !elements.allSatisfy { $0["role"] != nil || $0["from"] != nil }
  }
}
