import Files
import Tokenizers

/// The names that the fields of records have in a file, where they differ from the known ones, and the
/// fields that are not read.
package struct FieldNames: Sendable, Hashable {
  private let names: [String: String]
  private let ignored: Set<String>

  /// No other names.
  package init() { self.init([:], ignoring: []) }

  /// Names by known field; `{text: sentence}` reads the field `sentence` as `text`.
  ///
  /// Fields `ignored` by their names in the file, of records or their messages, count as missing.
  /// Throws `DatasetError.unknownField` for a field that no record has.
  package init(
    _ names: [(known: String, name: String)], ignoring ignored: [String] = []
  ) throws(DatasetError) {
    for (known, _) in names where !RecordFormat.knownFields.contains(known) {
      throw .unknownField(known, known: RecordFormat.knownFields.sorted())
    }
    self.init(
      Dictionary(names.map { ($0.known, $0.name) }, uniquingKeysWith: { $1 }),
      ignoring: Set(ignored))
  }

  private init(_ names: [String: String], ignoring ignored: Set<String>) {
    self.names = names
    self.ignored = ignored
  }

  /// The names of the fields of a record.
  var ofRecords: FieldNames {
    FieldNames(names.filter { !Message.mappedFields.contains($0.key) }, ignoring: ignored)
  }

  /// The names of the fields of a message.
  var ofMessages: FieldNames {
    FieldNames(names.filter { Message.mappedFields.contains($0.key) }, ignoring: ignored)
  }

  /// The names in the file.
  var inFile: Set<String> { Set(names.values) }

  /// Returns `members` under their known names; a field that is named replaces one that already has
  /// the known name, and ignored fields are left out.
  func renamed(
    _ members: [(name: String, value: JSONValue)]
  ) -> [(name: String, value: JSONValue)] {
    let members = ignored.isEmpty ? members : members.filter { !ignored.contains($0.name) }
    if names.isEmpty { return members }
    return members.flatMap { member in
      let known = names.filter { $0.value == member.name }.keys.sorted()
      if !known.isEmpty { return known.map { ($0, member.value) } }
      let isReplaced = names[member.name].map { name in members.contains { $0.name == name } }
      return isReplaced == true ? [] : [member]
    }
  }

  /// Returns the names that no member has, in the order of the known fields.
  func missing(in members: [(name: String, value: JSONValue)]) -> [(known: String, name: String)] {
    names.sorted { $0.key < $1.key }.filter { _, name in
      !members.contains { $0.name == name }
    }.map { ($0.key, $0.value) }
  }

  /// Refuses `members`, which are under their known names, where a field that is read by the name of
  /// another field stands under its own: the other name is misspelt.
  func refuseOwnNames(
    in members: [(name: String, value: JSONValue)], missing: [(known: String, name: String)]
  ) throws(RecordDefect) {
    let fields = members.map(\.name)
    if let (known, name) = missing.first(where: { fields.contains($0.known) }) {
      throw .missingMappedField(name, for: known, found: fields)
    }
  }

  /// Throws `DatasetError.unusedMappedField` if one of `unseen`, names in the file, is given for a
  /// field.
  ///
  /// - Parameter found: The fields of a record, for the error.
  func refuse(unseen: Set<String>, found: [String]) throws(DatasetError) {
    let unused = ofRecords.names.filter { unseen.contains($0.value) }.min { $0.key < $1.key }
    if let unused { throw .unusedMappedField(unused.value, for: unused.key, found: found) }
  }
}
