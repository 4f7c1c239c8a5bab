import Layers
import Tensors

/// A language model under LoRA without its low-rank maps: the one that it was adapted from.
public struct BaseModel: LanguageModel {
  private let model: any LanguageModel

  /// `model`, read without its maps.
  public init(of model: any LanguageModel) {
    self.model = model
  }

  /// The trunk's result.
  public func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    model.hidden(ids, pass.withoutAdapters)
  }

  /// What the head reads.
  public func transform(_ hidden: Tensor, _ pass: ForwardPass) -> Tensor {
    model.transform(hidden, pass.withoutAdapters)
  }

  /// The head, which is not adapted.
  public var head: Linear { model.head }
}
