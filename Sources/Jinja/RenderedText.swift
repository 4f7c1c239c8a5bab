/// The output of a template, split into pieces of one origin each.
package struct RenderedText: Sendable, Hashable {
  /// A run of characters with equal origin and `isGenerated`.
  package struct Piece: Sendable, Hashable {
    package let text: String
    package let origin: Origin
    /// True when the characters lie between `{% generation %}` and `{% endgeneration %}`.
    package let isGenerated: Bool
  }

  /// The pieces in order; none is empty.
  package let pieces: [Piece]

  /// The whole output.
  package var text: String { pieces.map(\.text).joined() }

  init(_ text: Text) {
    var pieces: [Piece] = []
    var scalars = String.UnicodeScalarView()
    for (index, letter) in text.letters.enumerated() {
      scalars.append(letter.scalar)
      let next = index + 1
      if next == text.count || letter.provenanceDiffers(from: text.letters[next]) {
        pieces.append(
          Piece(text: String(scalars), origin: letter.origin, isGenerated: letter.isGenerated))
        scalars = String.UnicodeScalarView()
      }
    }
    self.pieces = pieces
  }
}
