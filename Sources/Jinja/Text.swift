/// A string whose every character has an origin.
///
/// All operations move letters; none creates a string from scalars alone. So the origin of a
/// character survives every operation of a template.
struct Text: Sendable {
  var letters: [Letter]
  /// True for a string that jinja2 calls safe: adding it to another string escapes HTML in the
  /// other.
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

  /// The string with HTML's special characters escaped, unless it is safe; the result is safe.
  var escaped: Text {
    if isSafe { return self }
    let entities: [Unicode.Scalar: String] = [
      "&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", "\"": "&#34;",
    ]
    var result = mapped { entities[$0] }
    result.isSafe = true
    return result
  }

  subscript(range: Range<Int>) -> Text { Text(letters[range]) }

  static func + (left: Text, right: Text) -> Text { Text(left.letters + right.letters) }

  static func += (left: inout Text, right: Text) { left.letters += right.letters }
}

// Equality, order and hash depend on the scalars alone, not on their origins.
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

  /// Returns true when `part` occurs at `index`.
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

  /// Returns the first index at or after `start` where `part` occurs.
  func firstIndex(of part: Text, from start: Int = 0) -> Int? {
    guard start <= count - part.count else { return nil }
    return (start...(count - part.count)).first { matches(part, at: $0) }
  }

  /// Returns the last index where `part` occurs.
  func lastIndex(of part: Text) -> Int? {
    guard part.count <= count else { return nil }
    return (0...(count - part.count)).last { matches(part, at: $0) }
  }
}
