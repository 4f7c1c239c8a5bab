import CKernels

/// The place of a bound parameter in the flat buffers.
struct ParameterSlot {
  let index: Int
  let range: Range<Int>
}

/// Where the derivative of one tensor is gathered while the tape is read backwards.
///
/// The derivative of an intermediate value lives in pooled memory and is adopted rather than copied
/// where possible; that of a parameter is written straight into the worker's flat gradient buffer.
final class Variable {
  let parameter: ParameterSlot?
  /// Recorded operations that still hold a contribution back.
  var pendingUses = 0
  /// Parameter only: whether the buffer holds a contribution of the present leaf.
  var isWritten = false
  /// Parameter only: whether the gradient was reported as final.
  var isComplete = false
  /// Parameter only: whether several operations of a pass use it.
  var isShared = false
  /// Parameter only: whether its place in the buffer is lent; see `GradientLoan`.
  var isLent = false
  private var storage: Storage?
  private var shape: [Int] = []
  private var offset = 0

  init(parameter: ParameterSlot? = nil) {
    self.parameter = parameter
  }

  /// The gathered derivative, handed over.
  func takeGradient() -> Tensor? {
    guard let storage else { return nil }
    self.storage = nil
    return Tensor(shape: shape, storage: storage, offset: offset)
  }

  /// Adds `gradient`, by taking its memory when it is the first.
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

  /// Lets `write` put a contribution at a destination; its second argument says whether to add to
  /// what is there or to overwrite it.
  func withDestination(
    shape: [Int], in workspace: Workspace,
    _ write: (_ destination: UnsafeMutablePointer<Float>, _ adds: Bool) -> Void
  ) {
    if let parameter {
      guard let gradients = workspace.gradients else {
        preconditionFailure("backward to a parameter without a gradient buffer")
      }
      if !isWritten { workspace.loan?.reclaim(self) }
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

  /// An adopted derivative may still be read elsewhere: it is copied before it is changed.
  private func makeUnique(in workspace: Workspace) {
    guard !isKnownUniquelyReferenced(&storage), let shared = storage else { return }
    let count = shape.reduce(1, *)
    let copy = workspace.allocate(count: count)
    copy.floats.update(from: shared.floats + offset, count: count)
    storage = copy
    offset = 0
  }
}

/// A tensor's derivative without its values: what a recorded operation keeps of an input that it
/// does not have to read again.
struct GradientPlace {
  let variable: Variable?
  let shape: [Int]
  let workspace: Workspace

  /// Adds to the derivative, if one is wanted; see `Variable.withDestination`.
  func accumulate(_ write: (_ destination: UnsafeMutablePointer<Float>, _ adds: Bool) -> Void) {
    variable?.withDestination(shape: shape, in: workspace, write)
  }

  /// Adds `gradient` to the derivative, if one is wanted.
  func accumulate(adopting gradient: Tensor) {
    let count = shape.reduce(1, *)
    precondition(gradient.count == count, "gradient \(gradient.shape) for value \(shape)")
    variable?.accumulate(
      adopting: Tensor(shape: shape, storage: gradient.storage, offset: gradient.offset))
  }

  /// See `Tensor.withGradient`.
  func withGradient(
    _ write: (_ destination: UnsafeMutablePointer<Float>, _ adds: Bool) -> Void
  ) {
    if variable != nil {
      accumulate(write)
    } else {
      workspace.withScratch(shape.reduce(1, *)) { write($0, false) }
    }
  }
}

extension Tensor {
  /// Where the derivative of this tensor goes.
  var gradientPlace: GradientPlace {
    GradientPlace(variable: variable, shape: shape, workspace: workspace)
  }

  /// See `GradientPlace.accumulate`.
  func accumulate(_ write: (_ destination: UnsafeMutablePointer<Float>, _ adds: Bool) -> Void) {
    gradientPlace.accumulate(write)
  }

  /// Like `accumulate`, with scratch memory when no derivative is wanted here.
  func withGradient(
    _ write: (_ destination: UnsafeMutablePointer<Float>, _ adds: Bool) -> Void
  ) {
    gradientPlace.withGradient(write)
  }
}
