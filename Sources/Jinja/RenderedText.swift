/// What a template wrote, in pieces of one origin each.
public struct RenderedText: Sendable, Hashable {
  /// A run of characters of one provenance.
  public struct Piece: Sendable, Hashable {
    /// The characters.
    public let text: String
    /// Where they come from.
    public let origin: Origin
    /// Whether they stand between `{% generation %}` and `{% endgeneration %}`.
    public let isGenerated: Bool
  }

  /// The pieces, in order, none of them empty.
  public let pieces: [Piece]

  /// The whole as one text.
  public var text: String { pieces.map(\.text).joined() }

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
