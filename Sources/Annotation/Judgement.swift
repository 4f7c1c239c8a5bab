/// An annotator's verdict on a pair.
package enum Verdict: String, Sendable, Hashable, CaseIterable {
  /// The answer stored first is better.
  case first
  /// The answer stored second is better.
  case second
  /// Neither is better.
  case tie
  /// Neither is of use.
  case bothBad
  /// No judgement; the pair is not shown again.
  case skip

  /// Creates the verdict that the answer at `place` is better.
  package init(better place: Place) {
    self = place == .first ? .first : .second
  }

  /// The place of the better answer; nil when neither is better.
  package var better: Place? {
    switch self {
    case .first: .first
    case .second: .second
    case .tie, .bothBad, .skip: nil
    }
  }
}

/// A verdict of one annotator on one pair.
package struct Judgement: Sendable, Hashable {
  /// The pair's `id`.
  package let pair: String
  /// The annotator's name.
  package let annotator: String
  package let verdict: Verdict
  /// The place of the answer that was shown on the left; nil when unknown.
  package let left: Place?
  /// The annotator's note, if any.
  package let note: String?

  package init(
    pair: String, annotator: String, verdict: Verdict, left: Place? = nil, note: String? = nil
  ) {
    self.pair = pair
    self.annotator = annotator
    self.verdict = verdict
    self.left = left
    self.note = note
  }
}

/// The rules for annotators' names.
enum AnnotatorName {
  /// The greatest length of a name, in characters.
  static let longest = 64

  /// Throws `AnnotationError.badAnnotator` unless `name` can be shown in a table: without control
  /// characters, not empty or too long, and without spaces around it.
  static func check(_ name: String) throws(AnnotationError) {
    let isPlain = name.unicodeScalars.allSatisfy {
      $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
    }
    guard isPlain, !name.isEmpty, name.count <= longest, name.first != " ", name.last != " "
    else { throw .badAnnotator(name) }
  }
}
