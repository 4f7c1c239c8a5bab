import Tensors

/// A linear layer with an optional bias and, under LoRA, an adapter.
package struct Linear {
  /// The weight matrix, stored in the layout `order`.
  package let weight: Tensor
  /// Shape [outputs], or nil.
  package let bias: Tensor?
  let order: WeightOrder
  private let lora: LoRATensors?
  private let path: String

  /// - Parameters:
  ///   - parameters: The module that holds `weight` and `bias`.
  ///   - inputs: Size of the input's last dimension.
  ///   - outputs: Size of the result's last dimension.
  ///   - order: Memory layout of the weight.
  ///   - bias: True for a layer with a bias.
  ///   - std: Standard deviation of the initial weights; biases start at 0.
  ///   - isHead: True for an output of the network, which gets no adapter and is trained in full.
  package init(
    _ parameters: Parameters, inputs: Int, outputs: Int, order: WeightOrder = .outputsByInputs,
    bias: Bool, std: Float, isHead: Bool = false
  ) {
    let shape = order == .outputsByInputs ? [outputs, inputs] : [inputs, outputs]
    weight = parameters.tensor("weight", shape, .normal(std: std), decays: true)
    self.bias = bias ? parameters.tensor("bias", [outputs], .constant(0), decays: false) : nil
    self.order = order
    lora = isHead ? nil : parameters.lora(inputs: inputs, outputs: outputs, order: order)
    path = parameters.path
  }

  /// A layer that shares an existing matrix [outputs, inputs], such as a head tied to an embedding.
  ///
  /// - Parameters:
  ///   - bias: Shape [outputs], or nil.
  ///   - parameters: The module that the layer is in Hugging Face's network.
  package init(tiedTo weight: Tensor, bias: Tensor? = nil, as parameters: Parameters) {
    weight.markShared()
    self.weight = weight
    self.bias = bias
    order = .outputsByInputs
    lora = nil
    path = parameters.path
  }

  /// [… , inputs] → [… , outputs]: x·W + b, plus (dropout(x)·Aᵀ)·Bᵀ·scale when the layer has a
  /// LoRA adapter.
  ///
  /// - Parameters:
  ///   - pass: Decides whether the adapter is applied, and gives the dropout masks.
  ///   - fp32Output: True to return fp32 in bf16 precision too, for a result that is summed (the
  ///     residual stream).
  package func callAsFunction(_ x: Tensor, _ pass: ForwardPass, fp32Output: Bool = false)
    -> Tensor
  {
    guard let lora, pass.usesAdapters else {
      return x.linear(weight: weight, order: order, bias: bias, fp32Output: fp32Output)
        .traced(as: path)
    }
    // The model families number their own dropout modules from 0.
    let dropout = Dropout(rate: lora.dropout, site: -1 - lora.index)
    let inner =
      dropout(x, pass).linear(weight: lora.down, order: .outputsByInputs, fp32Output: true)
      * lora.scale
    return x.linear(
      weight: weight, order: order, bias: bias, plus: (inner, lora.up), fp32Output: fp32Output
    ).traced(as: path)
  }

  /// [… , inputs] → [… , outputs]: x·W + b, for a head, which has no adapter and needs no pass.
  ///
  /// - Parameter fp32Output: True to return fp32 in bf16 precision too (logits).
  package func callAsFunction(_ x: Tensor, fp32Output: Bool = false) -> Tensor {
    precondition(lora == nil, "a linear layer with a LoRA adapter needs its pass")
    return x.linear(weight: weight, order: order, bias: bias, fp32Output: fp32Output)
      .traced(as: path)
  }
}
