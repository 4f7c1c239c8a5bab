/// What a reader of nothing but the text finds.
public enum Verdict: Equatable, Sendable {
  /// The text is a story, and these are its facts.
  case consistent(Facts)
  /// Every sentence can be read, but they contradict each other or the world.
  case inconsistent([Contradiction])
  /// Some of it is no sentence of the world, or there are too few or too many of them.
  ///
  /// The contradictions of the sentences that can be read are listed too.
  case unreadable([Contradiction])
}

/// Reads a story back from its text alone and says whether its facts hold.
public struct StoryChecker: Sendable {
  private let grammar = Grammar.world

  /// A checker of the world's stories.
  public init() {}

  /// The verdict on `text`, whatever it holds.
  ///
  /// White space at both ends and the kind of white space between sentences do not matter. Reading
  /// stops at the first sentence beyond the eighth.
  public func check(_ text: String) -> Verdict {
    find(in: text).verdict
  }

  /// All that can be read in `text`, whatever it holds.
  public func find(in text: String) -> Findings {
    let bytes = Array(text.utf8)
    let sentences = Self.sentences(of: bytes[...])
    var ledger = Ledger(grammar)
    var contradictions: [Contradiction] = []
    var isReadable = true
    if !Plan.lengths.contains(sentences.count) {
      contradictions.append(Contradiction(sentence: nil, clash: .length(sentences.count)))
      isReadable = false
    }
    for (index, sentence) in sentences.prefix(Plan.lengths.upperBound).enumerated() {
      func note(_ clash: Clash) {
        contradictions.append(Contradiction(sentence: index + 1, clash: clash))
      }
      let (readings, clash) = read(sentence)
      if let clash {
        note(clash)
        isReadable = false
      }
      var best: (ledger: Ledger, clashes: [Clash])?
      for reading in readings {
        var next = ledger
        let clashes = next.tell(reading)
        if best == nil || clashes.count < best?.clashes.count ?? 0 { best = (next, clashes) }
        if clashes.isEmpty { break }
      }
      if let best {
        ledger = best.ledger
        best.clashes.forEach(note)
      }
    }
    if isReadable {
      for stage in ledger.untold {
        contradictions.append(Contradiction(sentence: nil, clash: .untold(stage)))
      }
    }
    let verdict: Verdict
    if !isReadable {
      verdict = .unreadable(contradictions)
    } else if contradictions.isEmpty, let facts = ledger.facts {
      verdict = .consistent(facts)
    } else {
      verdict = .inconsistent(contradictions)
    }
    return Findings(
      verdict: verdict, facts: ledger.named, isKind: Kindness.isKind(ledger.ending))
  }

  /// What `counts` counts.
  public struct Counts: Equatable, Sendable {
    /// How many texts there are.
    public var stories = 0
    /// How many of them are consistent.
    public var consistent = 0
    /// How many sentences they have.
    public var sentences = 0
    /// How many of the sentences belong to the world and agree with those before them.
    public var soundSentences = 0
  }

  /// How many of `texts`, and of their sentences, hold.
  ///
  /// The share of sound sentences tells two models apart that write no consistent story yet.
  public static func counts(of texts: [String]) -> Counts {
    let checker = StoryChecker()
    var counts = Counts()
    for text in texts {
      let sentences = sentences(of: Array(text.utf8)[...]).count
      counts.stories += 1
      counts.sentences += sentences
      let found = checker.find(in: text)
      counts.consistent += found.isConsistent ? 1 : 0
      counts.soundSentences += sentences - Set(found.contradictions.compactMap(\.sentence)).count
    }
    return counts
  }
}

// Reading sentences.
extension StoryChecker {
  // A sentence that is only misspelled has readings all the same.
  private func read(_ sentence: ArraySlice<UInt8>) -> (readings: [Reading], clash: Clash?) {
    // The longest sentence of the grammar has less than a fifth of this.
    guard sentence.count <= 2_000 else { return ([], .notASentence(after: "")) }
    if let last = sentence.last, !Self.isTerminator(last), last != UInt8(ascii: "\"") {
      return ([], .unfinished)
    }
    let tokens = grammar.vocabulary.tokens(of: sentence)
    let reader = SentenceReader(tokens, grammar)
    if reader.readings.isEmpty {
      if let word = unknownWord(in: sentence) { return ([], .unknownWord(word)) }
      return ([], .notASentence(after: spell(tokens.prefix(reader.furthest))))
    }
    let expected = spell(tokens[...])
    return (
      reader.readings,
      expected.utf8.elementsEqual(sentence) ? nil : .misspelled(expected: expected)
    )
  }

  private func spell(_ tokens: ArraySlice<Vocabulary.Token>) -> String {
    var text: [UInt8] = []
    grammar.vocabulary.spell(tokens, into: &text)
    return String(decoding: text, as: UTF8.self)
  }

  private func unknownWord(in sentence: ArraySlice<UInt8>) -> String? {
    sentence.split(whereSeparator: Self.isSpace).first {
      grammar.vocabulary.tokens(of: $0).contains(Vocabulary.unknown)
    }.map { String(decoding: $0.prefix(40), as: UTF8.self) }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (byte >= 9 && byte <= 13)
  }

  private static func isTerminator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ".") || byte == UInt8(ascii: "!") || byte == UInt8(ascii: "?")
  }

  /// The sentences of `text`, each with its mark; at most one more than a story can have.
  ///
  /// A sentence ends with a mark, or a mark and a quote, before white space or the end.
  static func sentences(of text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    var sentences: [ArraySlice<UInt8>] = []
    var index = text.startIndex
    while sentences.count <= Plan.lengths.upperBound {
      while index < text.endIndex, isSpace(text[index]) { index += 1 }
      guard index < text.endIndex else { break }
      let start = index
      var end: Int?
      while index < text.endIndex, end == nil {
        index += 1
        guard isTerminator(text[index - 1]) else { continue }
        if index < text.endIndex, text[index] == UInt8(ascii: "\"") { index += 1 }
        if index == text.endIndex || isSpace(text[index]) { end = index }
      }
      var last = end ?? text.endIndex
      while last > start, isSpace(text[last - 1]) { last -= 1 }
      sentences.append(text[start..<last])
    }
    return sentences
  }
}
