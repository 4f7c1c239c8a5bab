import Tensors

/// A table of embedding vectors, one per token id.
package struct Embedding {
  /// Shape [entries, width].
  package let weight: Tensor
  let scale: Float
  let path: String

  /// - Parameters:
  ///   - parameters: The module that holds `weight`.
  ///   - entries: Number of ids.
  ///   - width: Size of a vector.
  ///   - std: Standard deviation of the initial values.
  ///   - scale: Factor of the vectors.
  package init(
    _ parameters: Parameters, entries: Int, width: Int, std: Float, scale: Float = 1
  ) {
    weight = parameters.tensor(
      "weight", [entries, width], .normal(std: std), decays: true)
    self.scale = scale
    path = parameters.path
  }

  /// [rows] ids → [rows, width].
  package func callAsFunction(_ ids: [Int32]) -> Tensor {
    let vectors = weight.gather(ids)
    return (scale == 1 ? vectors : vectors * scale).traced(as: path)
  }
}
