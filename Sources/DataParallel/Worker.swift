import CKernels
import Tensors

/// One thread's copy of the network: its workspace, and the gradients of its run of leaves.
///
/// The gradient buffers form a binary counter: after each leaf the two halves of every finished
/// node of the summation tree are added, so that log₂(leaves) + 1 buffers are enough. The last leaf
/// is not added to the rest at once but bucket by bucket, as its backward pass finishes them.
final class Worker<Replica>: @unchecked Sendable {
  // Sendable: used by one thread at a time; the pool's start and wait order the accesses.
  let replica: Replica
  let workspace: Workspace
  let run: Range<Int>
  /// Subtrees held, in leaf order, each in the buffer of the same place.
  private(set) var held: [Subtree] = []
  private var buffers: [FlatBuffer] = []
  private let layout: ParameterLayout

  init(
    layout: ParameterLayout, parameters: FlatBuffer, halves: HalfBuffer?,
    frozen: FrozenParameters?, workspace: Workspace, run: Range<Int>,
    build: (Parameters) -> Replica
  ) {
    self.workspace = workspace
    self.layout = layout
    self.run = run
    replica = workspace.bind(
      layout, values: parameters, halves: halves, frozen: frozen, build)
  }

  /// Starts a step.
  func beginStep() {
    held = []
  }

  /// Directs gradients to a buffer for `leaf`, after which the leaf is held.
  func beginLeaf(_ leaf: Int) {
    let place = held.count
    if buffers.count == place { buffers.append(FlatBuffer(count: layout.count)) }
    workspace.beginGradients(into: buffers[place])
    held.append(Subtree(level: 0, index: leaf))
  }

  /// Adds halves over the whole buffer; for every leaf but the last.
  func endLeaf() {
    joinHalves(0..<layout.count)
    held = Subtree.cover(run.lowerBound..<(held.last?.leaves.upperBound ?? run.lowerBound))
  }

  /// Adds halves within `range` of the buffers.
  func joinHalves(_ range: Range<Int>) {
    var roots: [Subtree] = []
    for subtree in held {
      roots.appendJoining(subtree) { into, from in
        add(buffers[from], to: buffers[into], range)
      }
    }
  }

  /// Where the gradient of the subtree at `place` of the joined list lies.
  func gradient(_ place: Int) -> UnsafeMutablePointer<Float>? {
    buffers[place].elements.baseAddress
  }

  /// A buffer for results, even on a worker without leaves.
  func requireBuffer() {
    if buffers.isEmpty { buffers.append(FlatBuffer(count: layout.count)) }
  }

  private func add(_ source: FlatBuffer, to destination: FlatBuffer, _ range: Range<Int>) {
    guard let from = source.elements.baseAddress, let to = destination.elements.baseAddress else {
      return
    }
    apus_add(
      to + range.lowerBound, to + range.lowerBound, from + range.lowerBound, range.count)
  }
}
