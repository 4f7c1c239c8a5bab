/// The judgements as preference records, one JSON object per line.
///
///     {"annotators":2,"chosen":"…","margin":1,"pair":"…","prompt":"…","rejected":"…"}
///
/// `margin` is the difference in votes as a fraction of all votes on the pair, `annotators` the number
/// of votes. A prompt and answers of one message each are texts; otherwise all three are lists of
/// messages (`role`, `content`).
package struct PreferenceExport: Sendable {
  /// The lines, in the order of the pairs.
  package private(set) var lines: [String] = []
  /// The number of pairs that are left out because neither answer is better.
  package private(set) var undecided = 0

  /// Creates the preferences from `judgements` of `pairs`, by majority.
  ///
  /// - Parameter keepsTies: True to include pairs of which neither answer is better: each is written in
  ///   both orders with the margin 0, so that a reward model learns no preference from it.
  package init(
    pairs: [StoredPair], judgements: [Judgement], keepsTies: Bool = false
  ) throws {
    let votes = Votes.byPair(judgements)
    for stored in pairs {
      guard let votes = votes[stored.id] else { continue }
      if let better = votes.better {
        lines.append(try Self.line(stored, chosen: better, votes, margin: votes.margin))
      } else if keepsTies {
        for place in Place.allCases {
          lines.append(try Self.line(stored, chosen: place, votes, margin: 0))
        }
      } else {
        undecided += 1
      }
    }
  }

  private static func line(
    _ stored: StoredPair, chosen: Place, _ votes: Votes, margin: Double
  ) throws -> String {
    let pair = stored.pair
    let text = MessageText.form(of: pair)
    return try JSONLine.text(
      of: Line(
        pair: stored.id, prompt: pair.prompt.isEmpty ? nil : text(pair.prompt),
        chosen: text(pair[chosen].answer), rejected: text(pair[chosen.other].answer),
        margin: margin, annotators: votes.count))
  }

  private struct Line: Encodable {
    let pair: String
    let prompt: MessageText?
    let chosen, rejected: MessageText
    let margin: Double
    let annotators: Int
  }
}
