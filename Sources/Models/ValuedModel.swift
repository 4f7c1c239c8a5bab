// A language model with a value head, for proximal policy optimization: both read one trunk.
import Layers
import Tensors

/// A language model that also tells the value of every position: the reward it expects from there.
public struct ValuedModel: LanguageModel {
  private let model: any LanguageModel
  /// Hidden state → one number.
  public let value: Linear

  init(_ configuration: ValuedModelConfiguration, _ parameters: Parameters) {
    model = configuration.model.build(parameters)
    // Zero at first, so that advantages begin as rewards (Ziegler and others 2019).
    value = Linear(
      parameters[ValuedModelConfiguration.headName], inputs: configuration.model.width, outputs: 1,
      bias: true, deviation: 0, isHead: true)
  }

  /// What both heads read.
  public func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor { model.hidden(ids, pass) }

  /// The language model's head.
  public var head: Linear { model.head }

  /// Values of the positions whose hidden states these are, [rows], in fp32.
  public func values(_ hidden: Tensor) -> Tensor {
    value(hidden, precise: true).reshaped([hidden.rows])
  }
}

/// A language model's sizes, for a `ValuedModel`.
public struct ValuedModelConfiguration: NetworkConfiguration {
  /// Name of the value head's module.
  public static let headName = "v_head"

  /// Whether the parameter `name` is one of the value head's.
  public static func isOfHead(_ name: String) -> Bool { name.hasPrefix("\(headName).") }

  /// The language model.
  public let model: any ModelConfiguration

  /// A value head over the trunk of `model`.
  public init(_ model: any ModelConfiguration) {
    self.model = model
  }

  /// The language model's keys: transformers knows no value heads.
  public var json: [String: ConfigurationValue] { model.json }

  /// The network with its parameters.
  public func build(_ parameters: Parameters) -> ValuedModel { ValuedModel(self, parameters) }

  /// Equal keys.
  public static func == (a: Self, b: Self) -> Bool { a.json == b.json }
}
