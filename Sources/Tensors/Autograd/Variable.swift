import CKernels

/// The index and the range of a bound parameter in the flat buffers.
struct ParameterSlot {
  let index: Int
  let range: Range<Int>
}

/// The accumulator of the gradient of one tensor during the backward pass.
///
/// The gradient of an intermediate value is stored in pooled memory, and where possible the memory
/// of a contribution is adopted instead of copied. The gradient of a parameter is written directly
/// to the worker's flat gradient buffer.
final class Variable {
  /// The slot of a parameter; nil for an intermediate value.
  let parameter: ParameterSlot?
  /// The number of recorded operations whose contributions are still to come.
  var pendingUses = 0
  /// Parameters only: true when the buffer holds a contribution of the current leaf.
  var isWritten = false
  /// Parameters only: true when the gradient was reported as final.
  var isComplete = false
  /// Parameters only: true when several operations of a pass use the parameter.
  var isShared = false
  /// Parameters only: true when the memory of the gradient belongs to the `GradientArena`.
  var isInArena = false
  private var storage: Storage?
  private var shape: [Int] = []
  private var offset = 0

  init(parameter: ParameterSlot? = nil) {
    self.parameter = parameter
  }

  /// Removes and returns the accumulated gradient; nil when there is none.
  func takeGradient() -> Tensor? {
    guard let storage else { return nil }
    self.storage = nil
    return Tensor(shape: shape, storage: storage, offset: offset)
  }

  /// Adds `gradient`; the memory of a first contribution is adopted.
  func accumulate(adopting gradient: Tensor) {
    if parameter == nil && storage == nil {
      storage = gradient.storage
      shape = gradient.shape
      offset = gradient.offset
      return
    }
    let count = gradient.count
    withDestination(shape: gradient.shape, in: gradient.workspace) { destination, adds in
      if adds {
        apus_add(destination, destination, gradient.pointer, count)
      } else {
        destination.update(from: gradient.pointer, count: count)
      }
    }
  }

  /// Calls `write` with the destination of a contribution; `adds` is true when it must add to the
  /// present values and false when it must overwrite them.
  func withDestination(
    shape: [Int], in workspace: Workspace,
    _ write: (_ destination: UnsafeMutablePointer<Float>, _ adds: Bool) -> Void
  ) {
    if let parameter {
      guard let gradients = workspace.gradients else {
        preconditionFailure("backward to a parameter without a gradient buffer")
      }
      if !isWritten { workspace.arena?.evict(self) }
      write(gradients + parameter.range.lowerBound, isWritten)
      isWritten = true
    } else if storage == nil {
      let fresh = workspace.allocate(count: shape.reduce(1, *))
      write(fresh.floats, false)
      storage = fresh
      self.shape = shape
      offset = 0
    } else {
      makeUnique(in: workspace)
      if let storage { write(storage.floats + offset, true) }
    }
  }

  /// Copies an adopted gradient before it is changed, because other code may still read it.
  private func makeUnique(in workspace: Workspace) {
    guard !isKnownUniquelyReferenced(&storage), let shared = storage else { return }
    let count = shape.reduce(1, *)
    let copy = workspace.allocate(count: count)
    copy.floats.update(from: shared.floats + offset, count: count)
    storage = copy
    offset = 0
  }
}

/// The gradient of a tensor without its values: a recorded operation keeps this of an input that
/// its backward pass does not read.
struct GradientPlace {
  let variable: Variable?
  let shape: [Int]
  let workspace: Workspace

  /// Adds a contribution to the gradient, if there is one; see `Variable.withDestination`.
  func accumulate(_ write: (_ destination: UnsafeMutablePointer<Float>, _ adds: Bool) -> Void) {
    variable?.withDestination(shape: shape, in: workspace, write)
  }

  /// Adds `gradient` to the gradient, if there is one.
  func accumulate(adopting gradient: Tensor) {
    let count = shape.reduce(1, *)
    precondition(gradient.count == count, "gradient \(gradient.shape) for value \(shape)")
    variable?.accumulate(
      adopting: Tensor(shape: shape, storage: gradient.storage, offset: gradient.offset))
  }
}

extension Tensor {
  /// The destination of this tensor's gradient.
  var gradientPlace: GradientPlace {
    GradientPlace(variable: variable, shape: shape, workspace: workspace)
  }

  /// Adds a contribution to the gradient; see `GradientPlace.accumulate`.
  func accumulate(_ write: (_ destination: UnsafeMutablePointer<Float>, _ adds: Bool) -> Void) {
    gradientPlace.accumulate(write)
  }

  /// Calls `write` like `accumulate`, but with scratch memory when this tensor has no gradient.
  func withGradient(
    _ write: (_ destination: UnsafeMutablePointer<Float>, _ adds: Bool) -> Void
  ) {
    if needsGradient {
      accumulate(write)
    } else {
      workspace.withScratch(count) { write($0, false) }
    }
  }
}
