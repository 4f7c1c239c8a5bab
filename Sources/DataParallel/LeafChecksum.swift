import CKernels
import Faults
import Tensors

/// The checksum of a leaf's gradient: that of each parameter, so that padding does not count.
final class LeafChecksum: @unchecked Sendable {
  // Sendable: the thread that computes the leaf writes; others read when it has ended.
  let leaf: Int
  private let layout: ParameterLayout
  private var sums: [UInt64]

  init(of leaf: Int, _ layout: ParameterLayout) {
    (self.leaf, self.layout) = (leaf, layout)
    sums = Array(repeating: 0, count: layout.entries.count)
  }

  /// Adds `parameter`, whose gradient in `gradient` is complete.
  func add(_ parameter: Int, of gradient: FlatBuffer) {
    guard let elements = gradient.elements.baseAddress else { return }
    let range = layout.entries[parameter].range
    sums[parameter] = apus_checksum(elements + range.lowerBound, range.count)
  }

  /// The checksum of all parameters: FNV-1a over their words.
  var value: UInt64 { sums.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ $1) &* 0x100_0000_01b3 } }
}

extension DataParallel {
  /// The leaves that this rank computes.
  package var ownLeaves: Range<Int> { leaves(of: world.rank) }

  /// Computes the gradient of `leaf` on one thread of this rank, and returns its checksum.
  ///
  /// For any rank, thread and number of threads it is that of the leaf in `gradient(auditing:_:)`,
  /// where it is summed exactly. The sum over all ranks stays as it is.
  ///
  /// - Parameters:
  ///   - thread: A thread of this rank, taken modulo their number.
  ///   - compute: As in `gradient(auditing:_:)`.
  package func checksum(
    ofLeaf leaf: Int, thread: Int,
    _ compute:
      @escaping @Sendable (_ replica: Replica, _ workspace: Workspace, _ microBatch: Int) throws ->
      Tensor
  ) throws -> UInt64 {
    let gradient = auditBuffer ?? FlatBuffer(count: layout.count)
    auditBuffer = gradient
    let checksum = LeafChecksum(of: leaf, layout)
    let chosen = thread % plan.threads
    try pool.run { [self] thread in
      guard thread == chosen else { return }
      let workspace = workers[thread].workspace
      workspace.timeline?.skip()
      workspace.beginGradients(into: gradient)
      for index in 0..<plan.accumulation {
        let microBatch = leaf * plan.accumulation + index
        let loss = try workspace.recording {
          try compute(workers[thread].replica, workspace, microBatch)
        }
        if index < plan.accumulation - 1 {
          workspace.backward(from: loss)
        } else {
          workspace.backward(from: loss) { [layout] in
            flipBits(of: gradient, layout.entries[$0].range)
            checksum.add($0, of: gradient)
          }
        }
      }
      workspace.timeline?.mark("audit")
    }
    return checksum.value
  }
}

/// Does the faults that tests inject into a gradient when a parameter's part in `range` is complete.
func flipBits(of gradient: FlatBuffer, _ range: Range<Int>) {
  FaultSchedule.reach(
    .backward, flippingIn: UnsafeMutableBufferPointer(rebasing: gradient.elements[range]))
}
