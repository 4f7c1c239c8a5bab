import Tensors

/// A linear map with an optional bias.
public struct Linear {
  /// The matrix, laid out as `order` says.
  public let weight: Tensor
  /// One number per output, or nil.
  public let bias: Tensor?
  let order: WeightOrder

  /// - Parameters:
  ///   - parameters: Where `weight` and `bias` are found.
  ///   - inputs: Size of the input's last dimension.
  ///   - outputs: Size of the result's last dimension.
  ///   - order: How the weight lies in memory.
  ///   - bias: Whether there is one.
  ///   - deviation: Standard deviation of the first weights; biases start at 0.
  public init(
    _ parameters: Parameters, inputs: Int, outputs: Int, order: WeightOrder = .outputsByInputs,
    bias: Bool, deviation: Float
  ) {
    let shape = order == .outputsByInputs ? [outputs, inputs] : [inputs, outputs]
    weight = parameters.tensor("weight", shape, .normal(deviation: deviation), decays: true)
    self.bias = bias ? parameters.tensor("bias", [outputs], .constant(0), decays: false) : nil
    self.order = order
  }

  /// A map by an existing matrix [outputs, inputs], such as a head tied to an embedding.
  public init(tiedTo weight: Tensor) {
    self.weight = weight
    bias = nil
    order = .outputsByInputs
  }

  /// [… , inputs] → [… , outputs].
  ///
  /// - Parameter precise: Whether sums read the result, which is then fp32 under bf16 too.
  public func callAsFunction(_ x: Tensor, precise: Bool = false) -> Tensor {
    x.linear(weight: weight, order: order, bias: bias, precise: precise)
  }
}
