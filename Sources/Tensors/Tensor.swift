// "Arrays and their derivatives. Knows no network, no layer, no token."

/// A contiguous, row-major array of numbers with an optional gradient.
///
/// The numbers are fp32, or bf16 when only products read them (see `Precision`); gradients are
/// always fp32.
///
/// A tensor is a value that refers to shared memory of its worker's `Workspace`. Results of
/// operations are allocated from the pool of that workspace and released with their last reference.
/// A tensor belongs to the thread of its workspace.
package struct Tensor {
  /// Sizes of the dimensions, outermost first; a scalar has none.
  ///
  /// Sizes may be zero.
  package let shape: [Int]
  let type: ElementType
  let storage: Storage
  /// Index of the first element in `storage`.
  let offset: Int
  /// The variable that accumulates the gradient; nil when no gradient flows here.
  let variable: Variable?
  /// The recomputation of these values in the backward pass; nil when they are kept.
  let recomputedValue: RecomputedValue?

  init(
    shape: [Int], type: ElementType = .float32, storage: Storage, offset: Int = 0,
    variable: Variable? = nil, recomputedValue: RecomputedValue? = nil
  ) {
    self.shape = shape
    self.type = type
    self.storage = storage
    self.offset = offset
    self.variable = variable
    self.recomputedValue = recomputedValue
  }

  /// Creates a tensor of undefined values.
  package init(
    uninitialized shape: [Int], type: ElementType = .float32, in workspace: Workspace
  ) {
    precondition(shape.allSatisfy { $0 >= 0 }, "negative size in shape \(shape)")
    self.init(
      shape: shape, type: type,
      storage: workspace.storage(bytes: shape.reduce(1, *) * type.stride))
  }

  /// Creates a tensor with the given values in row-major order.
  package init(_ values: [Float], shape: [Int], in workspace: Workspace) {
    self.init(uninitialized: shape, in: workspace)
    precondition(values.count == count, "\(values.count) values for shape \(shape)")
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { pointer.update(from: base, count: count) }
    }
  }

  /// Creates a tensor with every element equal to `value`.
  package init(repeating value: Float, shape: [Int], in workspace: Workspace) {
    self.init(uninitialized: shape, in: workspace)
    pointer.update(repeating: value, count: count)
  }

  /// The workspace that this tensor belongs to.
  package var workspace: Workspace { storage.workspace }

  /// Number of elements.
  package var count: Int { shape.reduce(1, *) }

  /// Size of the last dimension; 1 for a scalar.
  package var columns: Int { shape.last ?? 1 }

  /// Product of the sizes of all dimensions but the last.
  package var rows: Int { shape.dropLast().reduce(1, *) }

  /// True when a gradient flows back to this tensor.
  package var needsGradient: Bool { variable != nil }

  /// The address of the elements of an fp32 tensor.
  ///
  /// It is valid while the tensor lives; for a recorded tensor, only until the next operation.
  package var pointer: UnsafeMutablePointer<Float> {
    precondition(type == .float32, "fp32 access to a \(type) tensor of shape \(shape)")
    return storage.floats + offset
  }

  /// A copy of the elements in row-major order.
  package var values: [Float] {
    let plain = expanded
    return Array(UnsafeBufferPointer(start: plain.pointer, count: count))
  }

  /// The value of a tensor with one element.
  package var scalar: Float {
    precondition(count == 1, "scalar access to a tensor of shape \(shape)")
    return pointer.pointee
  }

  /// These values without a connection to the tape: no gradient flows back through the result.
  package var detached: Tensor {
    Tensor(
      shape: shape, type: type, storage: storage, offset: offset, recomputedValue: recomputedValue)
  }

  /// Declares that several operations of a pass use this parameter, so that the memory of its
  /// gradient is not added to the `GradientArena`.
  package func markShared() {
    variable?.isShared = true
  }

  /// These values as a starting point of differentiation.
  package var differentiable: Tensor {
    Tensor(shape: shape, type: type, storage: storage, offset: offset, variable: Variable())
  }
}

extension Tensor: CustomStringConvertible {
  /// The shape and the first eight values.
  package var description: String {
    let head = values.prefix(8).map { "\($0)" }.joined(separator: ", ")
    return "Tensor\(shape) [\(head)\(count > 8 ? ", …" : "")]"
  }
}
