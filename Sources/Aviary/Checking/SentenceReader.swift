/// Finds every way in which the grammar can have written a sentence.
///
/// A depth-first walk over the grammar's network. A clause inside a sentence pushes the state to go
/// on from onto a chain of returns; backtracking forgets the top of everything. The work is
/// bounded: a clause contains no clause, sentences are short, and so is the list of readings.
struct SentenceReader {
  // No sentence of the grammar has more tokens, and none of them more than a few readings.
  private static let longest = 96
  private static let mostReadings = 64

  private let grammar: Grammar
  private let tokens: [Vocabulary.Token]
  private var current = Reading()
  // The states after the clauses that are being read, and the return before each.
  private var returns: [(node: Int, next: Int)] = []
  private(set) var readings: [Reading] = []
  /// How many tokens the best attempt could read.
  private(set) var furthest = 0

  init(_ tokens: [Vocabulary.Token], _ grammar: Grammar) {
    self.grammar = grammar
    self.tokens = tokens
    if tokens.count <= Self.longest { walk(from: Network.sentences, at: 0, returningTo: -1) }
  }

  private mutating func walk(from index: Int, at position: Int, returningTo next: Int) {
    guard readings.count < Self.mostReadings else { return }
    if position > furthest { furthest = position }
    let node = grammar.network.nodes[index]
    if !node.productions.isEmpty, next >= 0 || position == tokens.count {
      for production in node.productions {
        current.productions.append(production)
        if next >= 0 {
          walk(from: returns[next].node, at: position, returningTo: returns[next].next)
        } else {
          readings.append(current)
        }
        current.productions.removeLast()
      }
    }
    guard position < tokens.count else { return }
    let token = tokens[position]
    for arc in node.words where arc.token == token {
      walk(from: arc.next, at: position + 1, returningTo: next)
    }
    for arc in node.slots { fill(arc.slot, then: arc.next, at: position, returningTo: next) }
    for arc in node.clauses {
      returns.append((arc.next, next))
      walk(from: Network.clauses(of: arc.stage), at: position, returningTo: returns.count - 1)
      returns.removeLast()
    }
  }

  private mutating func fill(
    _ slot: Slot, then node: Int, at position: Int, returningTo next: Int
  ) {
    let candidates = grammar.entries(inFormOf: slot, beginningWith: tokens[position])
    for (value, form) in candidates {
      var length = 0
      while length < form.count, position + length < tokens.count,
        tokens[position + length] == form[length]
      {
        length += 1
      }
      guard length == form.count else { continue }
      current.mentions.append(Reading.Mention(slot: slot, value: value))
      walk(from: node, at: position + form.count, returningTo: next)
      current.mentions.removeLast()
    }
  }
}
