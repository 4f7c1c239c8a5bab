import Tensors

/// A linear map with an optional bias, and under LoRA a trained low-rank map beside it.
public struct Linear {
  /// The matrix, laid out as `order` says.
  public let weight: Tensor
  /// One number per output, or nil.
  public let bias: Tensor?
  let order: WeightOrder
  private let lowRank: LowRankTensors?

  /// - Parameters:
  ///   - parameters: Where `weight` and `bias` are found.
  ///   - inputs: Size of the input's last dimension.
  ///   - outputs: Size of the result's last dimension.
  ///   - order: How the weight lies in memory.
  ///   - bias: Whether there is one.
  ///   - deviation: Standard deviation of the first weights; biases start at 0.
  ///   - isHead: Whether it is an output of the network: it is never adapted, but trained whole.
  public init(
    _ parameters: Parameters, inputs: Int, outputs: Int, order: WeightOrder = .outputsByInputs,
    bias: Bool, deviation: Float, isHead: Bool = false
  ) {
    let shape = order == .outputsByInputs ? [outputs, inputs] : [inputs, outputs]
    weight = parameters.tensor("weight", shape, .normal(deviation: deviation), decays: true)
    self.bias = bias ? parameters.tensor("bias", [outputs], .constant(0), decays: false) : nil
    self.order = order
    lowRank = isHead ? nil : parameters.lowRank(inputs: inputs, outputs: outputs, order: order)
  }

  /// A map by an existing matrix [outputs, inputs], such as a head tied to an embedding.
  ///
  /// - Parameter bias: One number per output, or nil.
  public init(tiedTo weight: Tensor, bias: Tensor? = nil) {
    weight.markShared()
    self.weight = weight
    self.bias = bias
    order = .outputsByInputs
    lowRank = nil
  }

  /// [… , inputs] → [… , outputs]: x·W + b, and (dropout(x)·Aᵀ)·Bᵀ·scale where the map is adapted.
  ///
  /// - Parameters:
  ///   - pass: Whether adapters count, and where dropout draws from.
  ///   - precise: Whether sums read the result, which is then fp32 under bf16 too.
  public func callAsFunction(_ x: Tensor, _ pass: ForwardPass, precise: Bool = false) -> Tensor {
    guard let lowRank, pass.usesAdapters else {
      return x.linear(weight: weight, order: order, bias: bias, precise: precise)
    }
    // Sites of the families' own dropouts are not negative.
    let dropout = Dropout(rate: lowRank.dropout, site: -1 - lowRank.index)
    let inner =
      dropout(x, pass).linear(weight: lowRank.down, order: .outputsByInputs, precise: true)
      * lowRank.scale
    return x.linear(
      weight: weight, order: order, bias: bias, plus: (inner, lowRank.up), precise: precise)
  }

  /// The same for a head, which no pass changes.
  public func callAsFunction(_ x: Tensor, precise: Bool = false) -> Tensor {
    precondition(lowRank == nil, "an adapted linear map needs its pass")
    return x.linear(weight: weight, order: order, bias: bias, precise: precise)
  }
}
