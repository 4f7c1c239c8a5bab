/// The verdict on a text.
package enum StoryVerdict: Equatable, Sendable {
  /// The text is a story without contradictions, and these are its facts.
  case consistent(Facts)
  /// Every sentence can be parsed, but they contradict each other or the world.
  case inconsistent([Contradiction])
  /// A sentence cannot be parsed, or there are too few or too many sentences.
  ///
  /// The list includes the contradictions of the sentences that can be parsed.
  case unreadable([Contradiction])
}

/// Parses the text of a story and checks that its facts are consistent.
package struct StoryChecker: Sendable {
  private let grammar = Grammar.world

  package init() {}

  /// Returns the verdict on `text`, which can be any string.
  ///
  /// White space at both ends and the kind of white space between sentences are ignored. Parsing
  /// stops after the eighth sentence.
  package func check(_ text: String) -> StoryVerdict {
    analyze(text).verdict
  }

  /// Returns the verdict on `text` and the facts that could be parsed.
  package func analyze(_ text: String) -> StoryAnalysis {
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
      let (parses, clash) = parse(sentence)
      if let clash {
        note(clash)
        isReadable = false
      }
      var best: (ledger: Ledger, clashes: [Clash])?
      for parse in parses {
        var next = ledger
        let clashes = next.record(parse)
        if best == nil || clashes.count < best?.clashes.count ?? 0 { best = (next, clashes) }
        if clashes.isEmpty { break }
      }
      if let best {
        ledger = best.ledger
        best.clashes.forEach(note)
      }
    }
    if isReadable {
      for stage in ledger.missingStages {
        contradictions.append(Contradiction(sentence: nil, clash: .missingStage(stage)))
      }
    }
    let verdict: StoryVerdict
    if !isReadable {
      verdict = .unreadable(contradictions)
    } else if contradictions.isEmpty, let facts = ledger.facts {
      verdict = .consistent(facts)
    } else {
      verdict = .inconsistent(contradictions)
    }
    return StoryAnalysis(
      verdict: verdict, facts: ledger.named, isKind: Kindness.isKind(ledger.ending))
  }
}

// Parsing sentences.
extension StoryChecker {
  // A sentence that is only misspelled still has parses.
  private func parse(_ sentence: ArraySlice<UInt8>) -> (parses: [Parse], clash: Clash?) {
    // The longest sentence of the grammar has less than a fifth of this number of bytes.
    guard sentence.count <= 2_000 else { return ([], .notASentence(after: "")) }
    if let last = sentence.last, !Self.isTerminator(last), last != UInt8(ascii: "\"") {
      return ([], .unfinished)
    }
    let tokens = grammar.vocabulary.tokens(of: sentence)
    let parser = SentenceParser(tokens, grammar)
    if parser.parses.isEmpty {
      if let word = unknownWord(in: sentence) { return ([], .unknownWord(word)) }
      return ([], .notASentence(after: spell(tokens.prefix(parser.furthest))))
    }
    let expected = spell(tokens[...])
    return (
      parser.parses,
      expected.utf8.elementsEqual(sentence) ? nil : .misspelled(expected: expected)
    )
  }

  private func spell(_ tokens: ArraySlice<StoryVocabulary.Token>) -> String {
    var text: [UInt8] = []
    grammar.vocabulary.spell(tokens, into: &text)
    return String(decoding: text, as: UTF8.self)
  }

  private func unknownWord(in sentence: ArraySlice<UInt8>) -> String? {
    sentence.split(whereSeparator: Self.isSpace).first {
      grammar.vocabulary.tokens(of: $0).contains(StoryVocabulary.unknown)
    }.map { String(decoding: $0.prefix(40), as: UTF8.self) }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (byte >= 9 && byte <= 13)
  }

  private static func isTerminator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ".") || byte == UInt8(ascii: "!") || byte == UInt8(ascii: "?")
  }

  /// Returns the sentences of `text`, each with its punctuation mark; at most one more than a story
  /// can have.
  ///
  /// A sentence ends with `.`, `!` or `?`, or with one of these and a quotation mark, before white
  /// space or the end.
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
