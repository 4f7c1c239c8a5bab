// A language model with a value head, for proximal policy optimization: both heads share one
// backbone.
import Layers
import Tensors

/// A language model with a value head, which predicts the return at every position.
package struct ValueHeadModel: LanguageModel {
  private let model: any LanguageModel
  /// Hidden state → one number.
  package let value: Linear

  init(_ configuration: ValueHeadModelConfiguration, _ parameters: Parameters) {
    model = configuration.model.build(parameters)
    // Initialised to zero, so that the first advantages equal the rewards (Ziegler and others
    // 2019).
    value = Linear(
      parameters[ValueHeadModelConfiguration.headName], inputs: configuration.model.width,
      outputs: 1, bias: true, std: 0, isHead: true)
  }

  /// Returns the hidden states, the input of both heads.
  package func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor { model.hidden(ids, pass) }

  /// The language model's head.
  package var head: Linear { model.head }

  /// Returns the values at the positions of these hidden states, [rows], in fp32.
  package func values(_ hidden: Tensor) -> Tensor {
    value(hidden, fp32Output: true).reshaped([hidden.rows])
  }
}

/// The configuration of a `ValueHeadModel`.
package struct ValueHeadModelConfiguration: NetworkConfiguration {
  /// Name of the value head's module.
  package static let headName = "v_head"

  /// Returns true when the parameter `name` belongs to the value head.
  package static func isOfHead(_ name: String) -> Bool { name.hasPrefix("\(headName).") }

  /// The language model.
  package let model: any ModelConfiguration

  /// A value head on the backbone of `model`.
  package init(_ model: any ModelConfiguration) {
    self.model = model
  }

  /// The language model's keys, because transformers has no value heads.
  package var json: [String: ConfigurationValue] { model.json }

  package func build(_ parameters: Parameters) -> ValueHeadModel {
    ValueHeadModel(self, parameters)
  }

  package static func == (a: Self, b: Self) -> Bool { a.json == b.json }
}
