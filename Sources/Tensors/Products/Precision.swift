import CKernels

/// The operand precision of matrix products.
///
/// Sums, normalisations, softmax, loss, gradients and the weights themselves are always fp32.
package enum Precision: String, Sendable, CaseIterable {
  /// 32-bit floats, through OpenBLAS.
  case fp32
  /// bf16 operands with fp32 sums, through oneDNN. Activations that only products read are stored
  /// in bf16.
  case bf16
}

/// The storage type of a tensor's elements.
package enum ElementType: Sendable {
  case float32
  case bfloat16

  var stride: Int { self == .float32 ? 4 : 2 }
}

extension Tensor {
  /// The address of the elements of a bf16 tensor.
  var bf16: UnsafeMutablePointer<UInt16> {
    precondition(type == .bfloat16, "bf16 access to a \(type) tensor of shape \(shape)")
    return storage.base.assumingMemoryBound(to: UInt16.self) + offset
  }

  /// Returns the element type of results that only products read.
  static func operandType(in workspace: Workspace) -> ElementType {
    workspace.precision == .bf16 ? .bfloat16 : .float32
  }

  /// This tensor in the operand precision of the workspace, detached from the tape: parameters use
  /// their shared bf16 copy, other fp32 tensors are rounded.
  var operand: Tensor {
    guard workspace.precision == .bf16, type == .float32 else { return detached }
    if let copy = storage.bf16Copy {
      return Tensor(shape: shape, type: .bfloat16, storage: copy, offset: offset)
    }
    let rounded = Tensor(uninitialized: shape, type: .bfloat16, in: workspace)
    round(to: rounded)
    return rounded
  }

  /// Writes the elements to `destination` in bf16.
  func round(to destination: Tensor) {
    workspace.forEachPart(count) {
      apus_round_bf16(destination.bf16 + $0.lowerBound, pointer + $0.lowerBound, $0.count)
    }
  }

  /// This tensor in the operand precision, on the tape.
  ///
  /// It is rounded once for several products that read it.
  package var rounded: Tensor {
    guard workspace.precision == .bf16, type == .float32 else { return self }
    let place = gradientPlace
    return operand.recorded(from: self) { dy in place.accumulate(adopting: dy) }
  }

  /// This tensor in fp32, detached from the tape.
  var expanded: Tensor {
    guard type == .bfloat16 else { return detached }
    let plain = Tensor(uninitialized: shape, in: workspace)
    apus_expand_bf16(plain.pointer, bf16, count)
    return plain
  }
}

/// Block-wise access for element-wise kernels, which compute in fp32, to tensors of either type.
extension Tensor {
  /// The number of elements of a block that is converted; it fits into the L1 cache.
  private static let block = 2048

  /// Calls `body` with row ranges that cover the first tensor, spread over the team; with small
  /// ranges when any of the tensors is bf16.
  static func forEachBlock(of tensors: [Tensor], _ body: (_ rows: Range<Int>) -> Void) {
    let columns = max(1, tensors[0].columns)
    let isBF16 = tensors.contains { $0.type == .bfloat16 }
    tensors[0].workspace.forEachPart(tensors[0].rows, cost: columns) { rows in
      guard isBF16 else { return body(rows) }
      let size = max(1, block / columns)
      for start in stride(from: rows.lowerBound, to: rows.upperBound, by: size) {
        body(start..<min(rows.upperBound, start + size))
      }
    }
  }

  /// Calls `body` with the elements of `rows` in fp32, for reading.
  func reading<R>(_ rows: Range<Int>, _ body: (UnsafePointer<Float>) -> R) -> R {
    let start = rows.lowerBound * columns
    guard type == .bfloat16 else { return body(pointer + start) }
    return workspace.withScratch(rows.count * columns) {
      apus_expand_bf16($0, bf16 + start, rows.count * columns)
      return body($0)
    }
  }

  /// Calls `body` with an fp32 buffer for the elements of `rows` and stores the values that it
  /// writes.
  func writing(_ rows: Range<Int>, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let start = rows.lowerBound * columns
    guard type == .bfloat16 else { return body(pointer + start) }
    workspace.withScratch(rows.count * columns) {
      body($0)
      apus_round_bf16(bf16 + start, $0, rows.count * columns)
    }
  }
}
