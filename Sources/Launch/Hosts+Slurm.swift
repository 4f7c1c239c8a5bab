extension Hosts {
  /// The hosts of the Slurm job that this process is a part of; nil outside of one.
  ///
  /// SLURM_JOB_NODELIST has them in the form `n[01-03,7],m5`, and SLURM_TASKS_PER_NODE the number of
  /// tasks on each, as in `2(x3),1`.
  ///
  /// - Parameters:
  ///   - environment: The variables of the process.
  ///   - ranks: The ranks of every host, in place of the tasks.
  package init?(slurm environment: [String: String], ranks: Int? = nil) throws(HostsError) {
    let key = "SLURM_JOB_NODELIST"
    guard let list = environment[key] else { return nil }
    guard let names = Self.expand(list[...]), !names.isEmpty else {
      throw .badVariable(name: key, value: list, reason: "a list has the form n[01-03,7],m5")
    }
    if let ranks {
      self.init(names.map { Host(name: $0, slots: ranks) })
      return
    }
    let tasksKey = "SLURM_TASKS_PER_NODE"
    let text = environment[tasksKey] ?? ""
    guard let tasks = Self.tasks(text), tasks.count == names.count else {
      throw .badVariable(
        name: tasksKey, value: text,
        reason: "it must have a number from 1 for each of the \(names.count) nodes, as in 2(x3),1")
    }
    self.init(zip(names, tasks).map { Host(name: $0, slots: $1) })
  }

  /// The most hosts of a list; a short text can name billions.
  private static let mostHosts = 65536

  /// Returns the names of a node list; nil when it is not one.
  static func expand(_ list: Substring) -> [String]? {
    var (names, start, depth) = ([String](), list.startIndex, 0)
    for place in list.indices {
      switch list[place] {
      case "[": depth += 1
      case "]": depth -= 1
      case "," where depth == 0:
        guard let more = expand(one: list[start..<place]) else { return nil }
        names += more
        if names.count > Self.mostHosts { return nil }
        start = list.index(after: place)
      default: break
      }
      guard (0...1).contains(depth) else { return nil }
    }
    guard depth == 0, let more = expand(one: list[start...]) else { return nil }
    return names + more
  }

  /// Expands the first brackets of one name, and those behind them.
  private static func expand(one word: Substring) -> [String]? {
    guard let open = word.firstIndex(of: "["), let close = word.firstIndex(of: "]") else {
      return word.isEmpty || word.contains("]") ? nil : [String(word)]
    }
    let rest = word[word.index(after: close)...]
    guard let ends = rest.isEmpty ? [""] : expand(one: rest) else { return nil }
    var names: [String] = []
    let inside = word[word.index(after: open)..<close]
    for part in inside.split(separator: ",", omittingEmptySubsequences: false) {
      let bounds = part.split(separator: "-", omittingEmptySubsequences: false)
      guard bounds.allSatisfy({ !$0.isEmpty && $0.allSatisfy { ("0"..."9").contains($0) } }),
        bounds.count <= 2, let low = Int(bounds[0]), let high = Int(bounds.last ?? ""),
        low <= high, high - low < Self.mostHosts,
        names.count + (high - low + 1) * ends.count <= Self.mostHosts
      else { return nil }
      for number in low...high {
        let digits = "\(number)"
        let padding = String(repeating: "0", count: max(0, bounds[0].count - digits.count))
        names += ends.map { word[..<open] + padding + digits + $0 }
      }
    }
    return names
  }

  /// Returns the numbers of a text such as `2(x3),1`; nil when it is not one.
  private static func tasks(_ text: String) -> [Int]? {
    var tasks: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let match = part.wholeMatch(of: /(\d+)(?:\(x(\d+)\))?/), let number = Int(match.1),
        1...65536 ~= number, let times = match.2.map({ Int($0) }) ?? 1, (1...65536).contains(times)
      else { return nil }
      tasks += Array(repeating: number, count: times)
      if tasks.count > Self.mostHosts { return nil }
    }
    return tasks
  }
}
