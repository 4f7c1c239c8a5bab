import Tensors

/// A table of embedding vectors, one per token id.
package struct Embedding {
  /// Shape [entries, width].
  package let weight: Tensor

  /// - Parameters:
  ///   - parameters: The module that holds `weight`.
  ///   - entries: Number of ids.
  ///   - width: Size of a vector.
  ///   - std: Standard deviation of the initial values.
  package init(_ parameters: Parameters, entries: Int, width: Int, std: Float) {
    weight = parameters.tensor(
      "weight", [entries, width], .normal(std: std), decays: true)
  }

  /// [rows] ids → [rows, width].
  package func callAsFunction(_ ids: [Int32]) -> Tensor {
    weight.gather(ids)
  }
}
