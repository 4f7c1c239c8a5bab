import Files

/// A JSON file whose top level is an object, with the errors about its fields.
struct JSONFile {
  let path: String
  let root: JSONValue

  init(path: String) throws(TokenizerError) {
    self.path = path
    let bytes = try TokenizerFile.contents(of: path)
    do {
      root = try JSONReader.read(bytes)
    } catch {
      throw .malformedJSON(path: path, line: error.line, reason: error.reason)
    }
    if root.members == nil { throw invalid("", "an object") }
  }

  /// Wraps a document that was derived from the file at `path`.
  init(path: String, root: JSONValue) {
    self.path = path
    self.root = root
  }

  /// Returns the error for a field that is not `expected`.
  func invalid(_ field: String, _ expected: String) -> TokenizerError {
    .invalidField(path: path, field: field, expected: expected)
  }

  /// Returns the error for a part whose type is not supported.
  func unsupported(_ field: String, _ value: JSONValue) -> TokenizerError {
    .unsupported(path: path, construct: "\(field) \(value["type"]?.string ?? "of unknown type")")
  }

  /// Returns `value`; throws when the field is absent.
  func field(_ name: String, _ value: JSONValue?) throws(TokenizerError) -> JSONValue {
    guard let value else { throw invalid(name, "present") }
    return value
  }

  /// Returns the member `name`; throws unless it is an object.
  func object(_ name: String, in value: JSONValue) throws(TokenizerError) -> JSONValue {
    let value = try field(name, value[name])
    guard value.members != nil else { throw invalid(name, "an object") }
    return value
  }

  /// Throws unless the member `name` is null or absent.
  func refuse(_ name: String, in value: JSONValue) throws(TokenizerError) {
    guard let member = value[name], !member.isNull else { return }
    throw .unsupported(
      path: path, construct: "\(name)\(member["type"]?.string.map { " \($0)" } ?? "")")
  }
}
