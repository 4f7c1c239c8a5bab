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

  /// Reads the parts of a `Sequence`, which its member `name` lists, with `read`.
  func parts<Part>(
    _ value: JSONValue, _ name: String, _ field: String,
    _ read: (JSONValue, String) throws(TokenizerError) -> Part?
  ) throws(TokenizerError) -> [Part] {
    guard let values = value[name]?.array else {
      throw document.invalid("\(field).\(name)", "a list")
    }
    var parts: [Part] = []
    for (index, value) in values.enumerated() {
      if let part = try read(value, "\(field).\(name)[\(index)]") { parts.append(part) }
    }
    return parts
  }

  func bool(
    _ value: JSONValue, _ name: String, _ field: String, default: Bool? = nil
  ) throws(TokenizerError) -> Bool {
    let given = value[name].flatMap { $0.isNull ? nil : $0 }
    guard let flag = given == nil ? `default` : given?.bool else {
      throw document.invalid("\(field).\(name)", "true or false")
    }
    return flag
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

  /// The factor by which the normalizer or the decoder of a file may lengthen a text; published
  /// ones stay below 100.
  static let maximumGrowth = 1024.0

  /// Refuses a part that can lengthen a text by more than `maximumGrowth`.
  func refuse(growth: Double?, of field: String) throws(TokenizerError) {
    guard let growth, growth > Self.maximumGrowth else { return }
    throw .unsupported(
      path: document.path,
      construct: "a \(field) that can lengthen a text more than \(Int(Self.maximumGrowth)) times")
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
