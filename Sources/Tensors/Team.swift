/// Threads that share the work of one micro-batch.
///
/// Work is cut by the sizes of the operands, never by the number of threads, wherever the cut can
/// reach the bits of a result; so a result does not depend on the size of the team.
public protocol Team: AnyObject {
  /// Number of threads, the one that asks included.
  var size: Int { get }

  /// Calls `body` once for every index in 0 ..< `count`, on any thread of the team, and returns when
  /// all are done.
  ///
  /// `lane` is the number of the thread within the team. Must not be nested.
  func run(_ count: Int, _ body: (_ index: Int, _ lane: Int) -> Void)
}

extension Workspace {
  /// Calls `body` for every index in 0 ..< `count`, spread over the team.
  public func forEach(_ count: Int, _ body: (_ index: Int, _ lane: Int) -> Void) {
    if let team, count > 1 {
      team.run(count, body)
    } else {
      for index in 0..<count { body(index, 0) }
    }
  }

  /// Calls `body` with ranges that cover 0 ..< `count`, spread over the team; for loops in which no
  /// element's result depends on another's, so that any cut gives the same bits.
  ///
  /// - Parameter cost: Elements that stand behind each of the `count`.
  func forEachPart(_ count: Int, cost: Int = 1, _ body: (Range<Int>) -> Void) {
    guard let team, count > 1, count * cost >= 1 << 14 else { return body(0..<count) }
    let parts = min(count, 2 * team.size)
    // Whole cache lines to each thread.
    let edge = { (part: Int) in
      part == parts ? count : cost == 1 ? count * part / parts / 16 * 16 : count * part / parts
    }
    team.run(parts) { part, _ in body(edge(part)..<edge(part + 1)) }
  }
}
