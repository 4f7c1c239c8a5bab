/// How to make a tensor again, for less than keeping it costs: an activation function or a
/// normalisation is a fraction of the product that reads it, and its result as large as its input,
/// which is kept in any case.
///
/// The first reader in the backward pass makes the values, the last one gives them back. The bits are
/// those of the first time. Used by one thread.
final class Recipe {
  private let make: () -> Tensor
  private var value: Tensor?
  /// Readers that have not read yet.
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

/// A tensor that the backward pass of one operation reads: kept, or made again if it knows how.
struct KeptTensor {
  private let tensor: Tensor?
  private let recipe: Recipe?

  /// Keeps `tensor` for one call of `read`.
  init(_ tensor: Tensor) {
    recipe = tensor.recipe
    self.tensor = recipe == nil ? tensor.detached : nil
    recipe?.readers += 1
  }

  /// The values, off the tape.
  func read() -> Tensor {
    guard let tensor = tensor ?? recipe?.read() else {
      preconditionFailure("a kept tensor has its values or a recipe")
    }
    return tensor
  }
}

extension Tensor {
  /// This tensor, to be made again by `make` in the backward pass instead of being kept.
  ///
  /// - Parameter make: Gives the same bits at every call, and records nothing.
  func remade(by make: @escaping () -> Tensor) -> Tensor {
    guard workspace.isRecording else { return self }
    return Tensor(
      shape: shape, type: type, storage: storage, offset: offset, variable: variable,
      recipe: Recipe(make))
  }
}
