import CKernels
import Tensors

/// One thread's replica of the network, its workspace, and the gradients of its run of leaves.
///
/// The gradient buffers form a binary counter: after each leaf the two children of every finished
/// node of the summation tree are added, so that log₂(leaves) + 1 buffers are enough. The last leaf
/// is added bucket by bucket, as its backward pass finishes them.
final class Worker<Replica>: @unchecked Sendable {
  // Sendable: used by one thread at a time; the pool's start and wait order the accesses.
  let replica: Replica
  let workspace: Workspace
  let run: Range<Int>
  /// The subtrees that this worker holds, in leaf order; `buffers[i]` has the gradient of
  /// `held[i]`.
  private(set) var held: [Subtree] = []
  private var buffers: [FlatBuffer] = []
  private let layout: ParameterLayout
  /// True when the gradients of `Subtree.cover(run)` lie in memory that other ranks can map.
  private let isShared: Bool

  init(
    layout: ParameterLayout, parameters: FlatBuffer, bf16Copy: BF16Buffer?,
    frozen: FrozenParameters?, workspace: Workspace, run: Range<Int>, isShared: Bool,
    build: (Parameters) -> Replica
  ) {
    self.workspace = workspace
    self.layout = layout
    self.run = run
    self.isShared = isShared
    replica = workspace.bind(
      layout, values: parameters, bf16Copy: bf16Copy, frozen: frozen, build)
  }

  func beginStep() {
    held = []
  }

  /// Directs the gradients of the next backward pass to a buffer for `leaf`.
  func beginLeaf(_ leaf: Int) {
    let place = held.count
    if buffers.count == place { addBuffer() }
    workspace.beginGradients(into: buffers[place])
    held.append(Subtree(level: 0, index: leaf))
  }

  /// The flat buffer of the leaf that was begun last.
  var newest: FlatBuffer { buffers[held.count - 1] }

  /// Adds the finished subtrees over the whole buffer; call it after every leaf except the last.
  func endLeaf() {
    held = joinSubtrees(0..<layout.count)
  }

  /// Adds the finished subtrees within `range` of the buffers, and returns the subtrees that remain.
  @discardableResult
  func joinSubtrees(_ range: Range<Int>) -> [Subtree] {
    var sum = TreeSum<FlatBuffer>()
    for (subtree, buffer) in zip(held, buffers) {
      sum.append(buffer, of: subtree) { $0.adding($1, range) }
    }
    return sum.roots
  }

  /// Returns the flat buffer with the gradient of subtree `index` of `Subtree.cover(run)`; in fast
  /// mode subtree 0 is the sum of the run.
  func gradient(_ index: Int) -> FlatBuffer { buffers[index] }

  /// Allocates the first buffer, so that a worker without leaves can receive results too.
  func requireBuffer() {
    if buffers.isEmpty { addBuffer() }
  }

  private func addBuffer() {
    // The first buffers remain when the sums of the run are complete.
    let remains = buffers.count < Subtree.cover(run).count
    buffers.append(FlatBuffer(count: layout.count, isShared: isShared && remains))
  }
}

extension FlatBuffer {
  /// Adds the elements of `other` in `range` in place, and returns this buffer.
  @discardableResult
  func adding(_ other: FlatBuffer, _ range: Range<Int>) -> FlatBuffer {
    if let to = elements.baseAddress, let from = other.elements.baseAddress {
      apus_add(
        to + range.lowerBound, to + range.lowerBound, from + range.lowerBound, range.count)
    }
    return self
  }
}
