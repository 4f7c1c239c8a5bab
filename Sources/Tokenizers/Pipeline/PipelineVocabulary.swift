/// The spelling and the text of every token of a pipeline.
struct PipelineVocabulary: Sendable {
  /// The distinct spellings of the tokens, as files spell them, including added tokens.
  private let spellings: ByteStringTable
  /// The index in `spellings` of each id.
  private let strings: [Int32]
  private let style: Style

  /// The way in which a family spells its tokens.
  enum Style: Sendable {
    /// Tokens are spelled in GPT-2's byte alphabet.
    case bytes
    /// Continuations begin with a prefix; other tokens have a space before them.
    case prefix([UInt8])
    /// `▁` stands for a space, `<0x…>` for a byte.
    case metaspace
  }

  /// Creates the vocabulary of `spellings`, whose index is their id.
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

  /// Returns the token `id` as files spell it.
  func spelling(of id: TokenID) -> [UInt8] { Array(spellings[Int(strings[Int(id)])]) }

  /// Returns the spelling of the token `id`, with the byte alphabet converted to bytes.
  func text(of id: TokenID) -> ArraySlice<UInt8> {
    let spelling = spellings[Int(strings[Int(id)])]
    guard case .bytes = style else { return spelling }
    return ByteAlphabet.bytes(spelled: String(decoding: spelling, as: UTF8.self)).map { $0[...] }
      ?? spelling
  }

  /// Returns the bytes that the token `id` stands for in the middle of a text.
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

  /// Returns the number of spaces at both ends of the token `id`, as it is spelled.
  func edgeSpaces(of id: TokenID) -> EdgeSpaces {
    let spelling = spellings[Int(strings[Int(id)])]
    // Most tokens are visible ASCII after some Ġ; all others are scanned character by character.
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
