// "Arrays and their derivatives. Knows no network, no layer, no token."

/// A contiguous, row-major array of numbers, with the place where its derivative is gathered.
///
/// The numbers are 32-bit floats, or bf16 where a product is to read them (see `Precision`);
/// derivatives are always 32-bit floats.
///
/// A tensor is a value that refers to shared memory of its worker's `Workspace`; results of
/// operations take their memory from that workspace's pool and give it back when nobody refers to
/// them. A tensor belongs to the thread of its workspace.
public struct Tensor {
  /// Sizes of the dimensions, outermost first; a scalar has none.
  ///
  /// Sizes may be zero.
  public let shape: [Int]
  /// How the elements are stored.
  let type: ElementType
  let storage: Storage
  let offset: Int
  /// Where derivatives with respect to this value are gathered; nil when none flows here.
  let variable: Variable?
  /// How the backward pass makes these values again; nil where it is better to keep them.
  let recipe: Recipe?

  init(
    shape: [Int], type: ElementType = .float32, storage: Storage, offset: Int = 0,
    variable: Variable? = nil, recipe: Recipe? = nil
  ) {
    self.shape = shape
    self.type = type
    self.storage = storage
    self.offset = offset
    self.variable = variable
    self.recipe = recipe
  }

  /// A tensor of undefined values.
  public init(uninitialized shape: [Int], in workspace: Workspace) {
    self.init(uninitialized: shape, type: .float32, in: workspace)
  }

  init(uninitialized shape: [Int], type: ElementType, in workspace: Workspace) {
    precondition(shape.allSatisfy { $0 >= 0 }, "negative size in shape \(shape)")
    self.init(
      shape: shape, type: type,
      storage: workspace.storage(bytes: shape.reduce(1, *) * type.stride))
  }

  /// A tensor with the given values in row-major order.
  public init(_ values: [Float], shape: [Int], in workspace: Workspace) {
    self.init(uninitialized: shape, in: workspace)
    precondition(values.count == count, "\(values.count) values for shape \(shape)")
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { pointer.update(from: base, count: count) }
    }
  }

  /// A tensor with every element equal to `value`.
  public init(repeating value: Float, shape: [Int], in workspace: Workspace) {
    self.init(uninitialized: shape, in: workspace)
    pointer.update(repeating: value, count: count)
  }

  /// The worker's memory and tape that this tensor belongs to.
  public var workspace: Workspace { storage.workspace }

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// Size of the last dimension; 1 for a scalar.
  public var columns: Int { shape.last ?? 1 }

  /// Product of all dimensions but the last.
  public var rows: Int { shape.dropLast().reduce(1, *) }

  /// Whether a derivative flows back to this tensor.
  public var needsGradient: Bool { variable != nil }

  /// The elements' address, for 32-bit floats only; valid while the tensor lives, and where it was
  /// recorded until the next operation.
  public var pointer: UnsafeMutablePointer<Float> {
    precondition(type == .float32, "32-bit floats were asked of \(type) of shape \(shape)")
    return storage.floats + offset
  }

  /// The elements in row-major order, copied.
  public var values: [Float] {
    let plain = expanded
    return Array(UnsafeBufferPointer(start: plain.pointer, count: count))
  }

  /// The value of a tensor with one element.
  public var scalar: Float {
    precondition(count == 1, "a scalar was asked of shape \(shape)")
    return pointer.pointee
  }

  /// The same values, cut off from the tape: no derivative flows back through the result.
  public var detached: Tensor {
    Tensor(shape: shape, type: type, storage: storage, offset: offset, recipe: recipe)
  }

  /// Tells that several operations of a pass use this parameter, so that the memory of its gradient
  /// does not serve anything else in between; see `GradientLoan`.
  public func markShared() {
    variable?.isShared = true
  }

  /// The same values, as a starting point of differentiation.
  public var differentiable: Tensor {
    Tensor(shape: shape, type: type, storage: storage, offset: offset, variable: Variable())
  }
}

extension Tensor: CustomStringConvertible {
  /// Shape and the first values.
  public var description: String {
    let head = values.prefix(8).map { "\($0)" }.joined(separator: ", ")
    return "Tensor\(shape) [\(head)\(count > 8 ? ", …" : "")]"
  }
}
