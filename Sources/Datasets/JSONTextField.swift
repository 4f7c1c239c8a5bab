import Foundation

/// Reads the text of a line of a `.jsonl` file.
///
/// Foundation decodes the one field and leaves the others alone: they may hold what `JSONReader`
/// refuses, such as repeated keys.
enum JSONTextField {
  /// Returns the string in `field` of the JSON object `bytes`.
  static func text(
    of field: String, in bytes: [UInt8], path: String, line: Int
  ) throws(DatasetError) -> String {
    let found: Found
    do {
      found = try JSONDecoder().decode(Found.self, from: Data(bytes), configuration: field)
    } catch {
      throw .brokenJSON(path: path, line: line, reason: reason(error))
    }
    switch found {
    case .text(let text): return text
    case .missing(let names):
      throw .missingField(path: path, line: line, field: field, found: names)
    case .other(let kind):
      throw .fieldNotText(path: path, line: line, field: field, found: kind)
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.dataCorrupted(let context):
      // The parser's message ("Unexpected character … around line 1, column 7.") is in the
      // underlying error.
      let cause = context.underlyingError.map { $0 as NSError }
      let words = cause?.userInfo[NSDebugDescriptionErrorKey] as? String
      let sentence = words ?? context.debugDescription
      return sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
    case DecodingError.typeMismatch:
      return "it is another kind of value"
    default:
      return "it cannot be decoded"
    }
  }

  /// The value of the requested field.
  private enum Found: DecodableWithConfiguration {
    case text(String)
    case missing([String])
    case other(String)

    init(from decoder: any Decoder, configuration: String) throws {
      let object = try decoder.container(keyedBy: Name.self)
      let field = Name(stringValue: configuration)
      guard object.contains(field) else {
        // Keys have no order: sorted, so that the error sentence is deterministic.
        self = .missing(object.allKeys.map(\.stringValue).sorted())
        return
      }
      if let text = try? object.decode(String.self, forKey: field) {
        self = .text(text)
      } else if (try? object.decodeNil(forKey: field)) == true {
        self = .other("null")
      } else if (try? object.decode(Bool.self, forKey: field)) != nil {
        self = .other("true or false")
      } else if (try? object.decode(Double.self, forKey: field)) != nil {
        self = .other("a number")
      } else if (try? object.nestedUnkeyedContainer(forKey: field)) != nil {
        self = .other("an array")
      } else if (try? object.nestedContainer(keyedBy: Name.self, forKey: field)) != nil {
        self = .other("an object")
      } else {
        // For example a string with invalid escapes: this throws the parser's error.
        self = .text(try object.decode(String.self, forKey: field))
      }
    }
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
