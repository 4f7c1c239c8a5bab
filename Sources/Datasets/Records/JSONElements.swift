import Tokenizers

/// The elements of a JSON file that is a list, or a sequence of objects.
///
/// Each element is delimited by its brackets and parsed separately, so that one malformed element does
/// not prevent reading the others.
struct JSONElements {
  private let bytes: [UInt8]
  private let path: String
  private let limit: Int
  private let names: FieldNames
  private var position = 0
  private var line = 1
  private var isList: Bool?
  private var isAtEnd = false
  private var isFirst = true

  /// - Parameter limit: The largest element, in bytes.
  init(
    _ bytes: [UInt8], path: String, names: FieldNames = FieldNames(),
    limit: Int = SourceFile.recordLimit
  ) {
    self.bytes = bytes
    self.limit = limit
    self.path = path
    self.names = names
  }

  /// Returns the fields of the next element; nil after the last.
  mutating func next() throws(DatasetError) -> RecordFields? {
    guard !isAtEnd else { return nil }
    if isList == nil {
      isList = peek() == UInt8(ascii: "[")
      if isList == true { position += 1 }
    }
    guard let byte = peek() else {
      isAtEnd = true
      if isList == true { throw malformed("the list has no end") }
      return nil
    }
    if isList == true {
      if byte == UInt8(ascii: "]") {
        position += 1
        isAtEnd = true
        if peek() != nil { throw malformed("text follows the list") }
        return nil
      }
      if !isFirst {
        guard byte == UInt8(ascii: ",") else {
          isFirst = true
          throw malformed("',' or ']' is expected")
        }
        position += 1
      }
    }
    isFirst = false
    _ = peek()
    let place = RecordPlace(path: path, line: line)
    let range = elementRange()
    guard range.count <= limit else {
      throw .documentTooLarge(path: path, line: place.line, limit: limit)
    }
    return try RecordFields(json: Array(bytes[range]), at: place, names: names)
  }

  private func malformed(_ reason: String) -> DatasetError {
    .badRecord(.malformed(reason: reason), at: RecordPlace(path: path, line: line))
  }

  /// Skips white space and returns the next byte without consuming it; nil at the end.
  private mutating func peek() -> UInt8? {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D else { return byte }
      if byte == 0x0A { line += 1 }
      position += 1
    }
    return nil
  }

  /// Skips the element at the current position, up to its closing bracket, or a value without
  /// brackets, and returns its range.
  private mutating func elementRange() -> Range<Int> {
    let start = position
    var depth = 0
    var isInString = false
    while position < bytes.count {
      let byte = bytes[position]
      let isOutside = depth == 0 && !isInString && position > start
      if isOutside, byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") || byte == 0x0A { break }
      position += 1
      switch byte {
      case 0x0A: line += 1
      case UInt8(ascii: "\\") where isInString: position = min(position + 1, bytes.count)
      case UInt8(ascii: "\""): isInString.toggle()
      case _ where isInString: continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth <= 0 { return start..<position }
      default: continue
      }
    }
    return start..<position
  }
}
