import Tensors

/// LayerNorm with gain and bias (Ba and others 2016).
public struct LayerNorm {
  let weight: Tensor
  let bias: Tensor
  let epsilon: Float

  /// - Parameters:
  ///   - parameters: Where `weight` and `bias` are found.
  ///   - width: Size of the last dimension.
  ///   - epsilon: Added to the variance.
  public init(_ parameters: Parameters, width: Int, epsilon: Float) {
    weight = parameters.tensor("weight", [width], .constant(1), decays: false)
    bias = parameters.tensor("bias", [width], .constant(0), decays: false)
    self.epsilon = epsilon
  }

  /// Normalises every row.
  ///
  /// - Parameter precise: Whether sums read the result, which is then fp32 under bf16 too.
  public func callAsFunction(_ x: Tensor, precise: Bool = false) -> Tensor {
    x.layerNorm(gain: weight, bias: bias, epsilon: epsilon, precise: precise)
  }
}

/// RMSNorm with gain (Zhang & Sennrich 2019).
public struct RMSNorm {
  let weight: Tensor
  let epsilon: Float
  let scale: Float

  /// - Parameters:
  ///   - parameters: Where `weight` is found.
  ///   - width: Size of the last dimension.
  ///   - epsilon: Added to the mean square.
  ///   - gain: The first weights.
  ///   - scale: Factor of the result.
  public init(
    _ parameters: Parameters, width: Int, epsilon: Float, gain: Float = 1, scale: Float = 1
  ) {
    weight = parameters.tensor("weight", [width], .constant(gain), decays: false)
    self.epsilon = epsilon
    self.scale = scale
  }

  /// Normalises every row.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.rmsNorm(gain: scale == 1 ? weight : weight * scale, epsilon: epsilon)
  }

  /// Normalises every head of every row.
  public func callAsFunction(headsOf x: Tensor) -> Tensor {
    let size = weight.count
    return self(x.reshaped([x.rows * x.columns / size, size])).reshaped(x.shape)
  }
}
