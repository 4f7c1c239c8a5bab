extension DefaultStringInterpolation {
  /// Appends a number and its noun: `"\(1, "token")"` is "1 token", `"\(2, "token")"` "2 tokens".
  ///
  /// - Parameter several: The words after any number but 1; `one` with an s when nil.
  package mutating func appendInterpolation(_ count: Int, _ one: String, _ several: String? = nil) {
    appendLiteral("\(count) \(count == 1 ? one : several ?? one + "s")")
  }
}
