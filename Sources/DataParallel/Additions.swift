import CKernels

/// The additions that sum buffers in a fixed order, as a list that is made once.
///
/// The buffers are only read. They are added in pieces that stay in the first cache, so that each of
/// them is read from memory once, and only the sums are written to it.
struct Additions: Sendable {
  /// The elements of a piece.
  static let piece = 4096

  /// The number of buffers.
  let inputs: Int
  /// The subtrees of the sums, in leaf order; nil for a sum in the order of the buffers.
  let roots: [Subtree]?
  /// Operands of each addition: a buffer, or, from `inputs` on, the result of an addition.
  private let steps: [(left: Int, right: Int)]
  /// The operands that are the sums.
  private let sums: [Int]
  private let scratch: Scratch

  /// Adds buffers of these subtrees, given in leaf order, in tree order.
  init(_ subtrees: [Subtree]) {
    var steps: [(left: Int, right: Int)] = []
    var sum = TreeSum<Int>()
    for (input, subtree) in subtrees.enumerated() {
      sum.append(input, of: subtree) { left, right in
        steps.append((left, right))
        return subtrees.count + steps.count - 1
      }
    }
    self.init(inputs: subtrees.count, roots: sum.roots, steps: steps, sums: sum.parts)
  }

  /// Adds `count` buffers one after another.
  init(inOrder count: Int) {
    precondition(count > 0, "a sum of no buffers")
    let steps = (0..<count - 1).map {
      (left: $0 == 0 ? 0 : count + $0 - 1, right: $0 + 1)
    }
    self.init(
      inputs: count, roots: nil, steps: steps, sums: [count == 1 ? 0 : count + steps.count - 1])
  }

  private init(inputs: Int, roots: [Subtree]?, steps: [(left: Int, right: Int)], sums: [Int]) {
    self.inputs = inputs
    self.roots = roots
    self.steps = steps
    self.sums = sums
    scratch = Scratch(count: steps.count * Self.piece)
  }

  /// The number of sums.
  var outputs: Int { sums.count }

  /// Adds `count` elements of the buffers.
  ///
  /// - Parameters:
  ///   - parts: The buffers.
  ///   - results: The places of the sums. With one sum, its place may be that of a buffer.
  func callAsFunction(
    _ parts: [UnsafePointer<Float>], count: Int, into results: [UnsafeMutablePointer<Float>]
  ) {
    precondition(
      parts.count == inputs && results.count == sums.count,
      "\(parts.count) buffers and \(results.count) sums where \(inputs) and \(sums.count) were "
        + "expected")
    var targets = steps.indices.map { scratch.start + $0 * Self.piece }
    for start in stride(from: 0, to: count, by: Self.piece) {
      let length = min(Self.piece, count - start)
      for (result, sum) in zip(results, sums) {
        if sum >= inputs {
          targets[sum - inputs] = result + start
        } else if parts[sum] != UnsafePointer(result) {
          (result + start).update(from: parts[sum] + start, count: length)
        }
      }
      for (step, operands) in steps.enumerated() {
        apus_add(
          targets[step], operand(operands.left, parts, start, targets),
          operand(operands.right, parts, start, targets), length)
      }
    }
  }

  private func operand(
    _ index: Int, _ parts: [UnsafePointer<Float>], _ start: Int,
    _ targets: [UnsafeMutablePointer<Float>]
  ) -> UnsafePointer<Float> {
    index < inputs ? parts[index] + start : UnsafePointer(targets[index - inputs])
  }

  /// Memory for the results of additions that are not sums.
  private final class Scratch: @unchecked Sendable {
    // Sendable: only the thread that adds uses it.
    let start: UnsafeMutablePointer<Float>

    init(count: Int) { start = .allocate(capacity: max(1, count)) }
    deinit { start.deallocate() }
  }
}
