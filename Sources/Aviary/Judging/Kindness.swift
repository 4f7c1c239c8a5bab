/// Kind endings: somebody helped, or could not help and was a comfort.
///
/// About half of the world's stories end so, and no instruction says which. In all of them the
/// last sentence that tells an ending names both characters, in the others only one. So a regular
/// expression knows the kind endings too, where the names are listed; for the small world, on texts
/// that stop with their last sentence:
/// ```
/// \b(Mira|Tom|Anna|Ben|Lena|Sam|Ella|Max)\b[^.]*\b(?!\1\b)(?:Mira|Tom|Anna|Ben|Lena|Sam|Ella|Max)\b[^.]*\.\s*$
/// ```
public enum Kindness {
  /// Whether `text`, whatever it holds, ends kindly: whether the last sentence that tells an ending
  /// can stand only where somebody was kind.
  public static func isKind(_ text: String) -> Bool { StoryChecker().find(in: text).isKind }

  /// Whether all of `outcomes` are kind, and there are some.
  static func isKind(_ outcomes: Outcomes) -> Bool {
    !outcomes.isEmpty && outcomes.members.allSatisfy(\.isKind)
  }
}

extension Outcome {
  /// Whether somebody was kind.
  public var isKind: Bool {
    switch self {
    case .helped, .consoled: true
    case .managed, .failed: false
    }
  }
}
