import Tensors

/// LayerNorm with gain and bias (Ba and others 2016).
package struct LayerNorm {
  let weight: Tensor
  let bias: Tensor
  let epsilon: Float
  let path: String

  /// - Parameters:
  ///   - parameters: The module that holds `weight` and `bias`.
  ///   - width: Size of the last dimension.
  ///   - epsilon: Added to the variance.
  package init(_ parameters: Parameters, width: Int, epsilon: Float) {
    weight = parameters.tensor("weight", [width], .constant(1), decays: false)
    bias = parameters.tensor("bias", [width], .constant(0), decays: false)
    self.epsilon = epsilon
    path = parameters.path
  }

  /// Normalises every row.
  ///
  /// - Parameter fp32Output: True to return fp32 in bf16 precision too, for a result to be summed.
  package func callAsFunction(_ x: Tensor, fp32Output: Bool = false) -> Tensor {
    x.layerNorm(gain: weight, bias: bias, epsilon: epsilon, fp32Output: fp32Output)
      .traced(as: path)
  }
}

/// RMSNorm with gain (Zhang & Sennrich 2019).
package struct RMSNorm {
  let weight: Tensor
  let epsilon: Float
  let scale: Float
  let offset: Float
  let path: String

  /// - Parameters:
  ///   - parameters: The module that holds `weight`.
  ///   - width: Size of the last dimension.
  ///   - epsilon: Added to the mean square.
  ///   - gain: The initial weights.
  ///   - scale: Factor of the result.
  ///   - offset: Added to the weights: the gain is offset + weight.
  package init(
    _ parameters: Parameters, width: Int, epsilon: Float, gain: Float = 1, scale: Float = 1,
    offset: Float = 0
  ) {
    weight = parameters.tensor("weight", [width], .constant(gain), decays: false)
    self.epsilon = epsilon
    self.scale = scale
    self.offset = offset
    path = parameters.path
  }

  /// Normalises every row.
  ///
  /// - Parameter fp32Output: True to return fp32 in bf16 precision too, for a result to be summed.
  package func callAsFunction(_ x: Tensor, fp32Output: Bool = false) -> Tensor {
    let y = normalized(x, fp32Output: fp32Output)
    // Hugging Face's module ends before the factor.
    return scale == 1 ? y.traced(as: path) : y
  }

  private func normalized(_ x: Tensor, fp32Output: Bool = false) -> Tensor {
    var gain = weight
    if offset != 0 {
      gain = gain + Tensor(repeating: offset, shape: gain.shape, in: gain.workspace)
    }
    if scale != 1 { gain = gain * scale }
    return x.rmsNorm(gain: gain, epsilon: epsilon, fp32Output: fp32Output)
  }

  /// Normalises every head of every row; a head has as many elements as the gain.
  package func callAsFunction(headsOf x: Tensor) -> Tensor {
    let size = weight.count
    let heads = x.columns / size
    return normalized(x.reshaped([x.rows * heads, size]))
      .traced(as: path, shape: [x.rows, heads, size]).reshaped(x.shape)
  }
}
