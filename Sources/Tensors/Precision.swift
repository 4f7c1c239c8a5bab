import CKernels

/// What matrix products read.
///
/// Sums, normalisations, softmax, loss, derivatives and the weights themselves are fp32 in both.
public enum Precision: String, Sendable, CaseIterable {
  /// 32-bit floats, through OpenBLAS.
  case fp32
  /// bf16 operands with fp32 sums, through oneDNN; activations that only products read are stored
  /// in bf16.
  case bf16
}

/// How a tensor's elements are stored.
enum ElementType: Sendable {
  case float32
  case bfloat16

  var stride: Int { self == .float32 ? 4 : 2 }
}

extension Tensor {
  /// The elements' address, for bf16.
  var half: UnsafeMutablePointer<UInt16> {
    precondition(type == .bfloat16, "bf16 was asked of \(type) of shape \(shape)")
    return storage.base.assumingMemoryBound(to: UInt16.self) + offset
  }

  /// The element type of results that only products read.
  static func operandType(in workspace: Workspace) -> ElementType {
    workspace.precision == .bf16 ? .bfloat16 : .float32
  }

  /// These values as a product of this workspace reads them, off the tape: parameters from their
  /// shared bf16 copy, others rounded unless they are bf16 already.
  var operand: Tensor {
    guard workspace.precision == .bf16, type == .float32 else { return detached }
    if let half = storage.half {
      return Tensor(shape: shape, type: .bfloat16, storage: half, offset: offset)
    }
    let rounded = Tensor(uninitialized: shape, type: .bfloat16, in: workspace)
    workspace.forEachPart(count) {
      apus_round_half(rounded.half + $0.lowerBound, pointer + $0.lowerBound, $0.count)
    }
    return rounded
  }

  /// These values as products read them, for several products that would each round them.
  public var rounded: Tensor {
    guard workspace.precision == .bf16, type == .float32 else { return self }
    let place = gradientPlace
    return operand.recorded(from: self) { dy in place.accumulate(adopting: dy) }
  }

  /// These values as 32-bit floats, off the tape.
  var expanded: Tensor {
    guard type == .bfloat16 else { return detached }
    let plain = Tensor(uninitialized: shape, in: workspace)
    apus_expand_half(plain.pointer, half, count)
    return plain
  }
}

/// Blocks in which element-wise kernels, which know fp32 only, work on tensors of either type.
extension Tensor {
  /// Elements of a block that needs converting: it stays in the fastest cache.
  private static let block = 2048

  /// Calls `body` with the row ranges to work on, spread over the team: in small pieces where a
  /// tensor is bf16.
  static func forEachBlock(of tensors: [Tensor], _ body: (_ rows: Range<Int>) -> Void) {
    let columns = max(1, tensors[0].columns)
    let isHalf = tensors.contains { $0.type == .bfloat16 }
    tensors[0].workspace.forEachPart(tensors[0].rows, cost: columns) { rows in
      guard isHalf else { return body(rows) }
      let size = max(1, block / columns)
      for start in stride(from: rows.lowerBound, to: rows.upperBound, by: size) {
        body(start..<min(rows.upperBound, start + size))
      }
    }
  }

  /// Calls `body` with the elements of `rows` as 32-bit floats, to read.
  func reading<R>(_ rows: Range<Int>, _ body: (UnsafePointer<Float>) -> R) -> R {
    let start = rows.lowerBound * columns
    guard type == .bfloat16 else { return body(pointer + start) }
    return workspace.withScratch(rows.count * columns) {
      apus_expand_half($0, half + start, rows.count * columns)
      return body($0)
    }
  }

  /// Calls `body` with room for the elements of `rows` as 32-bit floats, and keeps what it writes.
  func writing(_ rows: Range<Int>, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let start = rows.lowerBound * columns
    guard type == .bfloat16 else { return body(pointer + start) }
    workspace.withScratch(rows.count * columns) {
      body($0)
      apus_round_half(half + start, $0, rows.count * columns)
    }
  }
}
