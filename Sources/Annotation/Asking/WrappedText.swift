import Files

/// Formats text for a terminal: lines of limited width, without control characters.
enum WrappedText {
  /// Returns `text` in lines of at most `columns` columns, indented by `indentation` spaces.
  ///
  /// Lines break at spaces; a word that is longer than a line breaks at the end of the line. Control
  /// characters are shown as control pictures (␛), so that no answer can move the cursor or hide text.
  static func lines(of text: String, columns: Int, indentation: Int = 0) -> [String] {
    let room = max(8, columns - indentation)
    let margin = String(repeating: " ", count: indentation)
    return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .flatMap { line in wrap(shown(line), room).map { $0.isEmpty ? "" : margin + $0 } }
  }

  private static func wrap(_ line: String, _ room: Int) -> [String] {
    var lines: [String] = []
    var (current, width) = ("", 0)
    // The index after the last space, where a break is best, and the width up to there.
    var (breakAt, widthAtBreak): (String.Index?, Int) = (nil, 0)
    for character in line {
      let columns = Self.columns(of: character)
      if width + columns > room {
        if character == " " {
          // The line breaks at this space, which is dropped.
          lines.append(current)
          (current, width, breakAt) = ("", 0, nil)
          continue
        }
        let end = breakAt ?? current.endIndex
        lines.append(trimmed(current[..<end]))
        current = String(current[end...])
        width = breakAt == nil ? 0 : width - widthAtBreak
        breakAt = nil
      }
      current.append(character)
      width += columns
      if character == " " { (breakAt, widthAtBreak) = (current.endIndex, width) }
    }
    lines.append(current)
    return lines
  }

  private static func trimmed(_ line: Substring) -> String {
    var line = line
    while line.last == " " { line.removeLast() }
    return String(line)
  }

  private static func shown(_ line: Substring) -> String {
    line.split(separator: "\t", omittingEmptySubsequences: false).joined(separator: "    ")
      .visible()
  }

  /// Returns the number of terminal columns of a character: two for East Asian wide characters and
  /// emoji, else one.
  static func columns(of character: Character) -> Int {
    let isWide = character.unicodeScalars.contains { scalar in
      switch scalar.value {
      case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
        0xFE30...0xFE4F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
        true
      default: false
      }
    }
    return isWide ? 2 : 1
  }
}
