import Layers
import Tensors

/// A language model under LoRA with its adapters switched off: the base model.
package struct BaseModel: LanguageModel {
  private let model: any LanguageModel

  /// The base model of `model`.
  package init(of model: any LanguageModel) {
    self.model = model
  }

  package func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    model.hidden(ids, pass.withoutAdapters)
  }

  package func transform(_ hidden: Tensor, _ pass: ForwardPass) -> Tensor {
    model.transform(hidden, pass.withoutAdapters)
  }

  /// The head, which has no adapter.
  package var head: Linear { model.head }
}
