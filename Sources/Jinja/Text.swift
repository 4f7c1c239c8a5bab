/// A text whose every character knows its origin.
///
/// Every operation on texts moves letters; none makes a text of its scalars alone. So a character's
/// origin survives whatever the template does to it.
struct Text: Sendable {
  var letters: [Letter]
  /// Whether it is what jinja2 calls safe: a sum with it escapes HTML in the other text.
  var isSafe = false

  init(_ letters: some Sequence<Letter> = []) {
    self.letters = Array(letters)
  }

  init(_ string: String, origin: Origin = .template) {
    letters = string.unicodeScalars.map { Letter($0, origin) }
  }

  var count: Int { letters.count }
  var isEmpty: Bool { letters.isEmpty }

  var string: String {
    var scalars = String.UnicodeScalarView()
    for letter in letters { scalars.append(letter.scalar) }
    return String(scalars)
  }

  /// With HTML's characters escaped, unless it is safe; the result is.
  var escaped: Text {
    if isSafe { return self }
    let entities: [Unicode.Scalar: String] = [
      "&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", "\"": "&#34;",
    ]
    var result = Text()
    result.isSafe = true
    for letter in letters {
      if let entity = entities[letter.scalar] {
        result.letters += entity.unicodeScalars.map(letter.with)
      } else {
        result.letters.append(letter)
      }
    }
    return result
  }

  subscript(range: Range<Int>) -> Text { Text(letters[range]) }

  static func + (left: Text, right: Text) -> Text { Text(left.letters + right.letters) }

  static func += (left: inout Text, right: Text) { left.letters += right.letters }
}

/// Texts are equal by what they say, wherever it comes from.
extension Text: Hashable, Comparable {
  static func == (left: Text, right: Text) -> Bool {
    left.count == right.count && left.matches(right, at: 0)
  }

  static func < (left: Text, right: Text) -> Bool {
    left.letters.lexicographicallyPrecedes(right.letters) { $0.value < $1.value }
  }

  func hash(into hasher: inout Hasher) {
    for letter in letters { hasher.combine(letter.value) }
  }

  /// Whether `part` stands at `index`.
  func matches(_ part: Text, at index: Int) -> Bool {
    guard index >= 0, index + part.count <= count else { return false }
    for offset in part.letters.indices
    where letters[index + offset].value != part.letters[offset].value {
      return false
    }
    return true
  }

  func hasPrefix(_ part: Text) -> Bool { matches(part, at: 0) }

  func hasSuffix(_ part: Text) -> Bool { matches(part, at: count - part.count) }

  /// Where `part` first stands at or behind `start`.
  func firstIndex(of part: Text, from start: Int = 0) -> Int? {
    guard start <= count - part.count else { return nil }
    return (start...(count - part.count)).first { matches(part, at: $0) }
  }

  /// Where `part` last stands.
  func lastIndex(of part: Text) -> Int? {
    guard part.count <= count else { return nil }
    return (0...(count - part.count)).last { matches(part, at: $0) }
  }
}
