extension String {
  /// Returns the words in lines of at most `width` characters; a longer word has its own line.
  ///
  /// - Parameter used: Number of characters of the first line that are in use already.
  package func wrapped(to width: Int, after used: Int = 0) -> [String] {
    var lines: [String] = []
    var room = width - used
    for word in split(whereSeparator: \.isWhitespace) {
      if let last = lines.last, last.count + 1 + word.count <= room {
        lines[lines.count - 1] = last + " " + word
      } else {
        if !lines.isEmpty { room = width }
        lines.append(String(word))
      }
    }
    return lines.isEmpty ? [""] : lines
  }
}
