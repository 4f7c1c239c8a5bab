/// A regular expression, matched by backtracking in the order that Oniguruma and Perl prescribe.
///
/// The state is an explicit stack, so that no text exhausts the thread's own stack. A repetition of
/// one set is a single instruction, which gives back its scalars one by one. `FailedChoices` keeps
/// backtracking from taking exponential time.
struct Pattern: Sendable {
  enum Instruction: Sendable {
    case set(Int)
    /// Matches as many scalars of a set as possible, within bounds.
    case run(Int, minimum: Int, maximum: Int, isPossessive: Bool)
    /// Tries the first target, then the second.
    case fork(Int, Int)
    case jump(Int)
    /// Look-ahead: the instructions up to `end` must match here, or must not if negative.
    case lookahead(end: Int, isNegative: Bool)
    /// Atomic group: the match of the instructions up to `end` is never backtracked into.
    case atomic(end: Int)
    case anchor(PatternNode.Anchor)
    case accept
  }

  private var program: [Instruction] = []
  private var sets: [PatternSet] = []
  private var setNumbers: [PatternSet: Int] = [:]

  /// Compiles the expression `text`; the error names an unsupported construct.
  init(_ text: String) throws(PatternError) {
    try append(try PatternParser.parse(text))
    program.append(.accept)
  }

  private mutating func number(of set: PatternSet) -> Int {
    if let known = setNumbers[set] { return known }
    setNumbers[set] = sets.count
    sets.append(set)
    return sets.count - 1
  }

  private mutating func append(_ node: PatternNode) throws(PatternError) {
    if program.count > 100_000 {
      throw PatternError(construct: "a pattern of more than 100000 instructions")
    }
    switch node {
    case .set(let set): program.append(.set(number(of: set)))
    case .sequence(let nodes): for node in nodes { try append(node) }
    case .alternatives(let nodes): try append(alternatives: nodes)
    case .repeated(let node, let minimum, let maximum, let kind):
      try append(node, minimum, maximum, kind)
    case .lookahead(let node, let isNegative):
      try append(enclosed: node) { .lookahead(end: $0, isNegative: isNegative) }
    case .anchor(let anchor): program.append(.anchor(anchor))
    }
  }

  /// Appends the instruction that runs `node` as a separate match, then `node` and `.accept`.
  private mutating func append(
    enclosed node: PatternNode, _ instruction: (Int) -> Instruction
  ) throws(PatternError) {
    let place = program.count
    program.append(.accept)
    try append(node)
    program.append(.accept)
    program[place] = instruction(program.count)
  }

  private mutating func append(alternatives nodes: [PatternNode]) throws(PatternError) {
    var exits: [Int] = []
    for (index, node) in nodes.enumerated() {
      if index == nodes.count - 1 {
        try append(node)
      } else {
        let place = program.count
        program.append(.accept)
        try append(node)
        exits.append(program.count)
        program.append(.accept)
        program[place] = .fork(place + 1, program.count)
      }
    }
    for exit in exits { program[exit] = .jump(program.count) }
  }

  private mutating func append(
    _ node: PatternNode, _ minimum: Int, _ maximum: Int, _ kind: PatternNode.Kind
  ) throws(PatternError) {
    if case .set(let set) = node, kind != .lazy {
      program.append(
        .run(
          number(of: set), minimum: minimum, maximum: maximum, isPossessive: kind == .possessive))
      return
    }
    if kind == .possessive {
      return try append(
        enclosed: .repeated(node, minimum: minimum, maximum: maximum, .greedy)
      ) { .atomic(end: $0) }
    }
    for _ in 0..<minimum {
      let start = program.count
      try append(node)
      // A part without instructions, such as (?:ab){0}, needs no repetition.
      if program.count == start { break }
    }
    let isLazy = kind == .lazy
    if maximum == Int.max {
      let place = program.count
      program.append(.accept)
      try append(node)
      program.append(.jump(place))
      let end = program.count
      program[place] = isLazy ? .fork(end, place + 1) : .fork(place + 1, end)
      return
    }
    var forks: [Int] = []
    for _ in minimum..<maximum {
      forks.append(program.count)
      program.append(.accept)
      try append(node)
    }
    for fork in forks {
      let end = program.count
      program[fork] = isLazy ? .fork(end, fork + 1) : .fork(fork + 1, end)
    }
  }

  /// A point to backtrack to.
  private struct Choice {
    let instruction: Int
    var position: Int
    /// For a run, the position down to which it gives back scalars; otherwise −1.
    let least: Int
  }

  /// Returns the end of the match that begins at `start` of `text`; nil when there is none.
  ///
  /// - Parameter failed: The choices that failed at earlier places of the same text.
  func match(
    _ text: UnsafeBufferPointer<UInt8>, at start: Int, _ failed: inout FailedChoices
  ) -> Int? {
    match(text, at: start, from: 0, &failed)
  }

  private func match(
    _ text: UnsafeBufferPointer<UInt8>, at start: Int, from first: Int,
    _ failed: inout FailedChoices
  ) -> Int? {
    let known = failed.count
    var choices: [Choice] = []
    var instruction = first
    var position = start
    while true {
      var succeeded = true
      switch program[instruction] {
      case .accept:
        // A choice on the way here has not failed.
        failed.forget(after: known)
        return position
      case .set(let set):
        succeeded = false
        if position < text.count {
          let read = text.scalar(at: position)
          if sets[set].contains(read.value) {
            position += read.length
            succeeded = true
          }
        }
        instruction += 1
      case .run(let set, let minimum, let maximum, let isPossessive):
        var count = 0
        var least = position
        while position < text.count, count < maximum {
          let read = text.scalar(at: position)
          if !sets[set].contains(read.value) { break }
          position += read.length
          count += 1
          if count == minimum { least = position }
        }
        succeeded = count >= minimum
        instruction += 1
        if succeeded, !isPossessive, position > least {
          choices.append(Choice(instruction: instruction, position: position, least: least))
        }
      case .fork(let one, let other):
        choices.append(Choice(instruction: other, position: position, least: -1))
        instruction = one
      case .jump(let target): instruction = target
      case .lookahead(let end, let isNegative):
        succeeded =
          (match(text, at: position, from: instruction + 1, &failed) == nil) == isNegative
        instruction = end
      case .atomic(let end):
        let matched = match(text, at: position, from: instruction + 1, &failed)
        succeeded = matched != nil
        position = matched ?? position
        instruction = end
      case .anchor(let anchor):
        succeeded = anchor.holds(at: position, in: text)
        instruction += 1
      }
      if succeeded { continue }
      repeat {
        guard var choice = choices.popLast() else { return nil }
        instruction = choice.instruction
        if choice.least >= 0 {
          choice.position -= text.scalar(endingAt: choice.position).length
          if choice.position > choice.least { choices.append(choice) }
        }
        position = choice.position
      } while !failed.take(instruction, position)
    }
  }
}
