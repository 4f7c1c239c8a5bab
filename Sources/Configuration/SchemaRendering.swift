import Files
import Foundation

extension Collection<KeyDescription> {
  /// The schema as a text table of at most `width` columns: key, type, default and meaning.
  ///
  /// If the other columns leave too little room for the meaning, each key has a line of its own
  /// with the rest indented below.
  package func table(width: Int = 100) -> String {
    let rows = map { key in
      (key.path, key.type, key.isRequired ? "required" : key.defaultValue ?? "none", key.remarks)
    }
    let header = ("key", "type", "default", "meaning")
    let columns = [header] + rows
    let (first, second, third) = (
      columns.map(\.0.count).max() ?? 0, columns.map(\.1.count).max() ?? 0,
      // One long default, such as a list of files, must not push the meaning off the screen.
      Swift.min(columns.map(\.2.count).max() ?? 0, 24)
    )
    let indentation = first + second + third + 6
    guard width - indentation >= 28 else { return stacked(width: width) }
    var text = ""
    for row in columns {
      var lead = row.0.padded(to: first) + "  " + row.1.padded(to: second) + "  "
      if row.2.count > third {
        text += lead + row.2 + "\n"
        lead = ""
      } else {
        lead += row.2
      }
      for line in row.3.wrapped(to: width - indentation) {
        text += lead.padded(to: indentation) + line + "\n"
        lead = ""
      }
    }
    return text
  }

  private func stacked(width: Int) -> String {
    var text = ""
    for key in self {
      let value = key.isRequired ? "required" : "default \(key.defaultValue ?? "none")"
      text += "\(key.path)\n"
      for line in ["\(key.type), \(value)", key.remarks].flatMap({ $0.wrapped(to: width - 2) }) {
        text += "  \(line)\n"
      }
    }
    return text
  }

  /// The schema as a JSON list of objects, with sorted keys and without absent fields.
  package func json() -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Strings and booleans always encode.
    let data = (try? encoder.encode(Array(self))) ?? Data()
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}

extension KeyDescription {
  /// The help with range and unit in brackets.
  fileprivate var remarks: String {
    let facts = [range, unit.map { $0 == "1" ? "no unit" : "in \($0)" }].compactMap(\.self)
    return facts.isEmpty ? help : "\(help) (\(facts.joined(separator: "; ")))"
  }
}

extension String {
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }
}
