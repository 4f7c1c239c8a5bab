/// A value that the backward pass recomputes instead of keeping it: the result of an activation
/// function or a normalisation costs a fraction of the product that reads it, and it is as large as
/// its input, which is saved anyway.
///
/// The first reader in the backward pass computes the value, the last one releases it. The bits are
/// those of the forward pass. Used by one thread.
final class RecomputedValue {
  private let make: () -> Tensor
  private var value: Tensor?
  /// The number of readers that have not read yet.
  fileprivate var readers = 0

  fileprivate init(_ make: @escaping () -> Tensor) {
    self.make = make
  }

  fileprivate func read() -> Tensor {
    let tensor = value ?? make()
    readers -= 1
    value = readers > 0 ? tensor : nil
    return tensor
  }
}

/// A tensor saved for the backward pass of one operation: either kept or recomputed.
struct SavedTensor {
  private let tensor: Tensor?
  private let recomputedValue: RecomputedValue?

  /// Saves `tensor` for one call of `read`.
  init(_ tensor: Tensor) {
    recomputedValue = tensor.recomputedValue
    self.tensor = recomputedValue == nil ? tensor.detached : nil
    recomputedValue?.readers += 1
  }

  /// Returns the values, detached from the tape.
  func read() -> Tensor {
    guard let tensor = tensor ?? recomputedValue?.read() else {
      preconditionFailure("a saved tensor has neither values nor a recomputation")
    }
    return tensor
  }
}

extension Tensor {
  /// Returns this tensor, marked to be recomputed by `make` in the backward pass instead of being
  /// kept.
  ///
  /// - Parameter make: Returns the same bits at every call and records nothing.
  func recomputed(by make: @escaping () -> Tensor) -> Tensor {
    guard workspace.isRecording else { return self }
    return Tensor(
      shape: shape, type: type, storage: storage, offset: offset, variable: variable,
      recomputedValue: RecomputedValue(make))
  }
}
