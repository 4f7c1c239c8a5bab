import Tensors

/// A table of vectors, one per id.
public struct Embedding {
  /// Shape [entries, width].
  public let weight: Tensor

  /// - Parameters:
  ///   - parameters: Where `weight` is found.
  ///   - entries: Number of ids.
  ///   - width: Size of a vector.
  ///   - deviation: Standard deviation of the first values.
  public init(_ parameters: Parameters, entries: Int, width: Int, deviation: Float) {
    weight = parameters.tensor(
      "weight", [entries, width], .normal(deviation: deviation), decays: true)
  }

  /// [rows] ids → [rows, width].
  public func callAsFunction(_ ids: [Int32]) -> Tensor {
    weight.gather(ids)
  }
}
