/// Finds all parses of a sentence.
///
/// The parser is a depth-first search with backtracking over the grammar's network. At a clause
/// inside a sentence it pushes the return node onto a stack. The work is bounded: clauses contain
/// no clauses, and the number of tokens and the number of parses are limited.
struct SentenceParser {
  // No sentence of the grammar has more tokens, and none has more than a few parses.
  private static let longest = 96
  private static let mostParses = 64

  private let grammar: Grammar
  private let tokens: [StoryVocabulary.Token]
  private var current = Parse()
  // The node after each open clause, and the index of the enclosing return, or -1.
  private var returns: [(node: Int, next: Int)] = []
  private(set) var parses: [Parse] = []
  /// Largest number of tokens that any attempt matched.
  private(set) var furthest = 0

  init(_ tokens: [StoryVocabulary.Token], _ grammar: Grammar) {
    self.grammar = grammar
    self.tokens = tokens
    if tokens.count <= Self.longest { walk(from: Network.sentences, at: 0, returningTo: -1) }
  }

  private mutating func walk(from index: Int, at position: Int, returningTo next: Int) {
    guard parses.count < Self.mostParses else { return }
    if position > furthest { furthest = position }
    let node = grammar.network.nodes[index]
    if !node.productions.isEmpty, next >= 0 || position == tokens.count {
      for production in node.productions {
        current.productions.append(production)
        if next >= 0 {
          walk(from: returns[next].node, at: position, returningTo: returns[next].next)
        } else {
          parses.append(current)
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
      current.mentions.append(Parse.Mention(slot: slot, value: value))
      walk(from: node, at: position + form.count, returningTo: next)
      current.mentions.removeLast()
    }
  }
}
