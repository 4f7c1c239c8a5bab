/// What every token of a pipeline reads like.
struct PipelineVocabulary: Sendable {
  /// The tokens as files spell them; added ones too.
  private let spellings: ByteStringTable
  /// The string of each id.
  private let strings: [Int32]
  /// How spellings are to be read.
  private let style: Style

  /// How a family spells.
  enum Style: Sendable {
    /// In GPT-2's byte alphabet.
    case bytes
    /// Continuations have a prefix, other words a space before them.
    case prefix([UInt8])
    /// `▁` is a space, `<0x…>` a byte.
    case metaspace
  }

  /// `spellings` by id, which are distinct.
  init(_ spellings: [String], style: Style) {
    var table = ByteStringTable(capacity: spellings.count)
    strings = spellings.map { Int32(table.insert(Array($0.utf8)).index) }
    self.spellings = table
    self.style = style
  }

  var count: Int { strings.count }

  /// Throws unless `id` is in the vocabulary.
  func check(_ id: TokenID) throws(TokenizerError) {
    guard id >= 0, Int(id) < count else { throw .unknownID(id: id, vocabularySize: count) }
  }

  /// The token `id` as files spell it.
  func spelling(of id: TokenID) -> [UInt8] { Array(spellings[Int(strings[Int(id)])]) }

  /// The token `id` with bytes in place of the byte alphabet, if that is how it is spelled.
  func text(of id: TokenID) -> ArraySlice<UInt8> {
    let spelling = spellings[Int(strings[Int(id)])]
    guard case .bytes = style else { return spelling }
    return ByteAlphabet.bytes(spelled: String(decoding: spelling, as: UTF8.self)).map { $0[...] }
      ?? spelling
  }

  /// The bytes that the token `id` stands for inside a text.
  func innerText(of id: TokenID) -> [UInt8] {
    let spelling = spelling(of: id)
    switch style {
    case .bytes: return Array(text(of: id))
    case .prefix(let prefix):
      return spelling.starts(with: prefix)
        ? Array(spelling.dropFirst(prefix.count)) : [0x20] + spelling
    case .metaspace:
      if let byte = ByteFallbackDecoder.byte(spelled: spelling) { return [byte] }
      return spelling.replacing(Array("▁".utf8), with: [0x20])
    }
  }

  /// The spaces at the ends of the token `id`, as its spelling has them.
  func edgeSpaces(of id: TokenID) -> EdgeSpaces {
    let spelling = spellings[Int(strings[Int(id)])]
    // Most tokens are visible ASCII behind some Ġ; the others are looked at character by character.
    var rest = spelling
    var leading = 0
    while rest.starts(with: [0xC4, 0xA0]) {
      rest = rest.dropFirst(2)
      leading += 1
    }
    let visible: ClosedRange<UInt8> = 0x21...0x7E
    if let first = rest.first, let last = rest.last, visible ~= first, visible ~= last {
      return EdgeSpaces(leading: leading, trailing: 0)
    }
    return EdgeSpaces(String(decoding: spelling, as: UTF8.self))
  }
}
