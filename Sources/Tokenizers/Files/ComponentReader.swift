import Files

/// Reads the parts of a pipeline from a tokenizer.json; the error for an unknown part names it.
struct ComponentReader {
  let document: JSONFile

  /// Returns the `type` of a part.
  func type(_ value: JSONValue, _ field: String) throws(TokenizerError) -> String {
    guard let type = value["type"]?.string else {
      throw document.invalid("\(field).type", "a string")
    }
    return type
  }

  /// Returns the parts of a `Sequence`, which its member `name` lists.
  func parts(
    _ value: JSONValue, _ name: String, _ field: String
  ) throws(TokenizerError) -> [JSONValue] {
    guard let parts = value[name]?.array else {
      throw document.invalid("\(field).\(name)", "a list")
    }
    return parts
  }

  func bool(
    _ value: JSONValue, _ name: String, _ field: String, default: Bool? = nil
  ) throws(TokenizerError) -> Bool {
    if let value = value[name], !value.isNull {
      guard let flag = value.bool else {
        throw document.invalid("\(field).\(name)", "true or false")
      }
      return flag
    }
    guard let `default` else { throw document.invalid("\(field).\(name)", "true or false") }
    return `default`
  }

  func text(
    _ value: JSONValue, _ name: String, _ field: String, default: String? = nil
  ) throws(TokenizerError) -> String {
    if let text = value[name]?.string ?? `default` { return text }
    throw document.invalid("\(field).\(name)", "a string")
  }

  func integer(
    _ value: JSONValue, _ name: String, _ field: String
  ) throws(TokenizerError) -> Int {
    guard let number = value[name]?.integer, number >= 0, number < Int(TokenID.max) else {
      throw document.invalid("\(field).\(name)", "a non-negative integer")
    }
    return number
  }

  /// Reads a pattern, `{"String": …}` or `{"Regex": …}`.
  func pattern(
    _ value: JSONValue, _ field: String
  ) throws(TokenizerError) -> TextPattern {
    if let text = value["pattern"]?["String"]?.string { return .text(Array(text.utf8)) }
    guard let expression = value["pattern"]?["Regex"]?.string else {
      throw document.invalid("\(field).pattern", "a String or a Regex")
    }
    do {
      return try TextPattern(expression: expression)
    } catch {
      throw .unsupported(path: document.path, construct: "\(error.construct) in \(field).pattern")
    }
  }
}
