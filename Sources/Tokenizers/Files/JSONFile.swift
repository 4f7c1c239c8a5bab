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
    if root.members == nil { throw .noSettings(path: path, found: root.kind) }
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

  /// Returns the entries of `added_tokens` with their contents and ids.
  func addedTokens() throws(TokenizerError) -> [(entry: JSONValue, content: String, id: TokenID)] {
    guard let entries = try field("added_tokens", root["added_tokens"]).array else {
      throw invalid("added_tokens", "a list")
    }
    var tokens: [(entry: JSONValue, content: String, id: TokenID)] = []
    for (index, entry) in entries.enumerated() {
      guard let content = entry["content"]?.string, !content.isEmpty else {
        throw invalid("added_tokens[\(index)].content", "a non-empty string")
      }
      guard let id = entry["id"]?.tokenID else {
        throw invalid("added_tokens[\(index)].id", "a non-negative id")
      }
      tokens.append((entry, content, id))
    }
    return tokens
  }
}

extension JSONValue {
  /// The value as a token id; nil for a value that cannot be one.
  var tokenID: TokenID? {
    integer.flatMap { (0..<Int(TokenID.max)).contains($0) ? TokenID($0) : nil }
  }
}
