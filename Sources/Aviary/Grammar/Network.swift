/// The productions as prefix trees: productions with a common beginning share its nodes.
///
/// There is one tree for the sentences and one for the clauses of each stage. The parser follows
/// the arcs whose words, slot values or clauses come next in a sentence.
struct Network: Sendable {
  struct Node: Sendable {
    fileprivate(set) var words: [(token: StoryVocabulary.Token, next: Int)] = []
    fileprivate(set) var slots: [(slot: Slot, next: Int)] = []
    fileprivate(set) var clauses: [(stage: StoryStage, next: Int)] = []
    /// The productions that end at this node: more than one only when problems share a line.
    fileprivate(set) var productions: [Int] = []
  }

  /// The nodes: node 0 is the root of the sentences, node 1 + `StoryStage.rawValue` that of the clauses
  /// of a stage.
  private(set) var nodes = [Node](repeating: Node(), count: 1 + StoryStage.allCases.count)

  static let sentences = 0

  static func clauses(of stage: StoryStage) -> Int { 1 + stage.rawValue }

  mutating func insert(_ production: Production, index: Int) {
    var node =
      switch production.symbol {
      case .sentence: Self.sentences
      case .clause(let stage): Self.clauses(of: stage)
      }
    for element in production.elements { node = follow(element, from: node) }
    nodes[node].productions.append(index)
  }

  private mutating func follow(_ element: Production.Element, from node: Int) -> Int {
    let new = nodes.count
    switch element {
    case .word(let token):
      if let arc = nodes[node].words.first(where: { $0.token == token }) { return arc.next }
      nodes[node].words.append((token, new))
    case .slot(let slot):
      if let arc = nodes[node].slots.first(where: { $0.slot == slot }) { return arc.next }
      nodes[node].slots.append((slot, new))
    case .clause(let stage):
      if let arc = nodes[node].clauses.first(where: { $0.stage == stage }) { return arc.next }
      nodes[node].clauses.append((stage, new))
    }
    nodes.append(Node())
    return new
  }
}
