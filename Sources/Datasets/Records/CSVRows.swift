import Files
import Tokenizers

/// The rows of a CSV file (RFC 4180) with a header line of column names.
///
/// A quoted field may hold commas, line feeds and doubled quotation marks. Lines end with LF or CRLF;
/// empty lines are left out.
struct CSVRows {
  private let bytes: [UInt8]
  private let path: String
  private let limit: Int
  private let names: FieldNames
  private var position = 0
  private var line = 1
  private var columns: [String] = []

  /// Reads the header line of `bytes`, which names the columns.
  ///
  /// - Parameter limit: The largest row, in bytes.
  init(
    _ bytes: [UInt8], path: String, names: FieldNames = FieldNames(),
    limit: Int = SourceFile.recordLimit
  ) throws(DatasetError) {
    self.bytes = bytes
    self.limit = limit
    self.path = path
    self.names = names
    guard let header = try row() else { throw .emptyFile(path: path) }
    columns = header.fields
    if columns.count == 1, let other = columns[0].first(where: { ";\t|".contains($0) }) {
      throw .badRecord(
        .malformed(
          reason: "its columns are separated by '\(other == "\t" ? "\\t" : "\(other)")', and the "
            + "columns of a CSV file by commas"),
        at: RecordPlace(path: path, line: header.line))
    }
    var seen: Set<String> = []
    for name in columns where !seen.insert(name).inserted {
      throw .repeatedColumn(path: path, line: header.line, name: name)
    }
  }

  /// Returns the fields of the next row; nil after the last.
  mutating func next() throws(DatasetError) -> RecordFields? {
    let start = position
    guard let (fields, line) = try row() else { return nil }
    guard position - start <= limit else {
      throw .documentTooLarge(path: path, line: line, limit: limit)
    }
    let place = RecordPlace(path: path, line: line)
    guard fields.count == columns.count else {
      let reason = "\(fields.count, "field") under \(columns.count, "column name")"
      throw .badRecord(.malformed(reason: reason), at: place)
    }
    return RecordFields(texts: zip(columns, fields).map { ($0, $1) }, at: place, names: names)
  }

  /// Returns the next row that is not empty, with the line on which it begins; nil at the end.
  private mutating func row() throws(DatasetError) -> (fields: [String], line: Int)? {
    while position < bytes.count, endsLine() { advance() }
    guard position < bytes.count else { return nil }
    let first = line
    var fields: [String] = []
    var defect: String?
    while true {
      fields.append(field(defect: &defect))
      guard position < bytes.count, bytes[position] == UInt8(ascii: ",") else { break }
      position += 1
    }
    if position < bytes.count { advance() }
    if let defect {
      throw .badRecord(
        .malformed(reason: defect), at: RecordPlace(path: path, line: first))
    }
    return (fields, first)
  }

  /// Reads the field at the current position, up to its comma or the end of its line.
  private mutating func field(defect: inout String?) -> String {
    let isQuoted = position < bytes.count && bytes[position] == UInt8(ascii: "\"")
    var text = isQuoted ? quotedText(defect: &defect) : []
    while position < bytes.count, bytes[position] != UInt8(ascii: ","), !endsLine() {
      if isQuoted {
        defect = "text follows a field in quotation marks"
      } else if bytes[position] == UInt8(ascii: "\"") {
        defect = "a quotation mark inside a field that does not begin with one"
      }
      text.append(bytes[position])
      position += 1
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads the text between the quotation mark at the current position and the closing one.
  private mutating func quotedText(defect: inout String?) -> [UInt8] {
    var text: [UInt8] = []
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") {
        guard position < bytes.count, bytes[position] == byte else { return text }
        position += 1
      }
      if byte == 0x0A { line += 1 }
      text.append(byte)
    }
    defect = "a field in quotation marks has no end"
    return text
  }

  /// Returns true when LF or CRLF is at the current position.
  private func endsLine() -> Bool {
    bytes[position] == 0x0A
      || bytes[position] == 0x0D && position + 1 < bytes.count && bytes[position + 1] == 0x0A
  }

  /// Skips the line end at the current position.
  private mutating func advance() {
    position += bytes[position] == 0x0D ? 2 : 1
    line += 1
  }
}
