/// What an annotator says of a pair.
public enum Verdict: String, Sendable, Hashable, CaseIterable {
  /// The answer kept first is the better one.
  case first
  /// The answer kept second is the better one.
  case second
  /// Neither is better.
  case tie
  /// Neither is of use.
  case bothBad
  /// No judgement; the pair is not shown again.
  case skip

  /// That the answer at `place` is the better one.
  public init(better place: Place) {
    self = place == .first ? .first : .second
  }

  /// Which answer is the better one; nil where neither is.
  public var better: Place? {
    switch self {
    case .first: .first
    case .second: .second
    case .tie, .bothBad, .skip: nil
    }
  }
}

/// A verdict of one annotator on one pair.
public struct Judgement: Sendable, Hashable {
  /// The pair's `id`.
  public let pair: String
  /// Who judged.
  public let annotator: String
  /// What was said.
  public let verdict: Verdict
  /// Which answer stood on the left; nil where that is not known.
  public let left: Place?
  /// What the annotator wrote beside it.
  public let note: String?

  /// `verdict` of `annotator` on the pair with the id `pair`.
  public init(
    pair: String, annotator: String, verdict: Verdict, left: Place? = nil, note: String? = nil
  ) {
    self.pair = pair
    self.annotator = annotator
    self.verdict = verdict
    self.left = left
    self.note = note
  }
}

/// The names of annotators.
enum AnnotatorName {
  static let longest = 64

  /// `name` as it stands, where it can stand in a table.
  static func check(_ name: String) throws(AnnotationError) {
    let isPlain = name.unicodeScalars.allSatisfy {
      $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
    }
    guard isPlain, !name.isEmpty, name.count <= longest, name.first != " ", name.last != " "
    else { throw .badAnnotator(name) }
  }
}
