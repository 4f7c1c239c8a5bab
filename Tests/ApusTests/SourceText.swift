import Foundation

/// The text of all sources and tests, of which names and excerpts in the documentation are parts.
struct SourceText {
  /// The names of the files, without their folders.
  let names: Set<String>
  private let text: Data

  /// Reads the sources of `repository`, without the tests of the documentation, whose mistakes are
  /// deliberate.
  init(repository: String) {
    var names: Set<String> = []
    var text = Data("\n".utf8)
    for folder in ["Sources", "Tests"] {
      let paths = FileManager.default.enumerator(atPath: "\(repository)/\(folder)")
      while let path = paths?.nextObject() as? String {
        let name = (path as NSString).lastPathComponent
        guard ["swift", "c", "h", "py"].contains((name as NSString).pathExtension),
          name != "ReadmeTests.swift",
          let data = FileManager.default.contents(atPath: "\(repository)/\(folder)/\(path)")
        else { continue }
        names.insert(name)
        text += data
      }
    }
    (self.names, self.text) = (names, text)
  }

  /// Returns true when `word` occurs, not as a part of a longer identifier.
  func contains(word: String) -> Bool {
    let isBoundary = { (byte: UInt8) in
      !(byte == UInt8(ascii: "_") || byte > 127 || Character(UnicodeScalar(byte)).isLetter
        || Character(UnicodeScalar(byte)).isNumber)
    }
    return contains(word) { isBoundary(text[$0.lowerBound - 1]) && isBoundary(text[$0.upperBound]) }
  }

  /// Returns true when `line` is a whole line, apart from its indentation.
  func contains(line: String) -> Bool {
    contains(line) { place in
      text[place.upperBound] == UInt8(ascii: "\n")
        && text[..<place.lowerBound].last { $0 != UInt8(ascii: " ") } == UInt8(ascii: "\n")
    }
  }

  /// Returns true when `part` occurs at a place that `isRight` accepts.
  private func contains(_ part: String, where isRight: (Range<Int>) -> Bool) -> Bool {
    let part = Data(part.utf8)
    var start = text.startIndex
    while let place = text.range(of: part, in: start..<text.endIndex),
      place.upperBound < text.endIndex
    {
      if place.lowerBound > text.startIndex, isRight(place) { return true }
      start = place.lowerBound + 1
    }
    return false
  }
}
