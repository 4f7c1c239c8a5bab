/// Kind endings: the companion helped, or could not help and gave comfort.
///
/// About half of the world's stories have a kind ending, and the instruction does not determine it.
/// A kind ending names both characters, any other ending names one. So a regular expression over
/// the list of names recognises kind endings as well. For the small world, on texts that stop after
/// their last sentence, it is:
/// ```
/// \b(Mira|Tom|Anna|Ben|Lena|Sam|Ella|Max)\b[^.]*\b(?!\1\b)(?:Mira|Tom|Anna|Ben|Lena|Sam|Ella|Max)\b[^.]*\.\s*$
/// ```
package enum Kindness {
  /// Returns true when `text`, which can be any string, has a kind ending.
  ///
  /// It has one when all outcomes that fit the last sentence with an ending are kind.
  package static func isKind(_ text: String) -> Bool { StoryChecker().analyze(text).isKind }

  /// Returns true when `outcomes` is not empty and all its members are kind.
  static func isKind(_ outcomes: Outcomes) -> Bool {
    !outcomes.isEmpty && outcomes.members.allSatisfy(\.isKind)
  }
}

extension Outcome {
  /// True when the companion helped or gave comfort.
  package var isKind: Bool { involvesFriend }
}
