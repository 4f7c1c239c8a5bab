/// A team of threads that share the work of one micro-batch.
///
/// Wherever the division of work can affect the bits of a result, it depends on the sizes of the
/// operands and never on the number of threads, so a result does not depend on the size of the
/// team.
package protocol Team: AnyObject {
  /// The number of threads, including the calling one.
  var size: Int { get }

  /// Calls `body` once for every index in 0 ..< `count`, on any thread of the team, and returns
  /// when all calls have returned.
  ///
  /// `lane` is the index of the thread within the team. Calls must not be nested.
  func run(_ count: Int, _ body: (_ index: Int, _ lane: Int) -> Void)
}

extension Workspace {
  /// Calls `body` for every index in 0 ..< `count`, spread over the team if there is one.
  package func forEach(_ count: Int, _ body: (_ index: Int, _ lane: Int) -> Void) {
    if let team, count > 1 {
      team.run(count, body)
    } else {
      for index in 0..<count { body(index, 0) }
    }
  }

  /// Calls `body` with ranges that cover 0 ..< `count`, spread over the team.
  ///
  /// Use it for loops whose iterations are independent, so that every division gives the same bits.
  ///
  /// - Parameter cost: The number of elements that each iteration processes.
  func forEachPart(_ count: Int, cost: Int = 1, _ body: (Range<Int>) -> Void) {
    guard let team, count > 1, count * cost >= 1 << 14 else { return body(0..<count) }
    let parts = min(count, 2 * team.size)
    // Each thread gets full cache lines.
    let edge = { (part: Int) in
      part == parts ? count : cost == 1 ? count * part / parts / 16 * 16 : count * part / parts
    }
    team.run(parts) { part, _ in body(edge(part)..<edge(part + 1)) }
  }
}
