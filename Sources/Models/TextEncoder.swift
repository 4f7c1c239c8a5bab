// The vector of a text: the mean of the hidden states of its tokens, as sentence encoders are trained
// (Reimers & Gurevych 2019), or what an encoder's pooler makes of the first.
import Layers
import Tensors

/// A trunk that gives vectors to texts, as Hugging Face's `BertModel`.
public struct TextEncoder {
  private let trunk: any Trunk
  private let pooler: Pooler?

  init(_ configuration: TextEncoderConfiguration, _ parameters: Parameters) {
    trunk = configuration.model.trunk(parameters)
    pooler = configuration.hasPooler ? configuration.model.pooler(parameters) : nil
  }

  /// The mean of the hidden states of each text.
  ///
  /// - Parameters:
  ///   - ids: Text after text, all of one length, padded at their ends.
  ///   - lengths: Tokens of every text that are no padding, each at least 1.
  ///   - pass: How many texts there are.
  public func mean(_ ids: [Int32], lengths: [Int32], _ pass: ForwardPass) -> [[Float]] {
    let length = ids.count / pass.sequences
    let hidden = hidden(ids, lengths, pass)
    let values = hidden.values
    return lengths.enumerated().map { text, count in
      var sums = [Double](repeating: 0, count: hidden.columns)
      for row in text * length..<text * length + Int(count) {
        for column in sums.indices { sums[column] += Double(values[row * hidden.columns + column]) }
      }
      return sums.map { Float($0 / Double(count)) }
    }
  }

  /// What the pooler makes of each text, or nil where there is none; see `mean`.
  public func pooled(_ ids: [Int32], lengths: [Int32], _ pass: ForwardPass) -> [[Float]]? {
    guard let pooler else { return nil }
    let length = ids.count / pass.sequences
    let first = hidden(ids, lengths, pass).rows(at: lengths.indices.map { $0 * length })
    let values = pooler(first, pass).values
    return lengths.indices.map { Array(values[$0 * first.columns..<($0 + 1) * first.columns]) }
  }

  private func hidden(_ ids: [Int32], _ lengths: [Int32], _ pass: ForwardPass) -> Tensor {
    let length = ids.count / pass.sequences
    precondition(
      lengths.count == pass.sequences && lengths.allSatisfy { (1...length).contains(Int($0)) },
      "lengths \(lengths) of \(pass.sequences) texts of \(length)")
    return trunk.hidden(ids, pass.keepingPaddingApart(lengths, length: length))
  }
}

/// A model's sizes, for a `TextEncoder`.
public struct TextEncoderConfiguration: NetworkConfiguration {
  /// The model whose trunk it is.
  public let model: any ModelConfiguration
  /// Whether the weights of a pooler belong to it.
  public let hasPooler: Bool

  /// The trunk of `model`.
  public init(_ model: any ModelConfiguration, hasPooler: Bool = false) {
    self.model = model
    self.hasPooler = hasPooler
  }

  /// The architecture of a bare encoder in `config.json`.
  static let architecture = "BertModel"

  /// The model's keys.
  public var json: [String: ConfigurationValue] {
    var json = model.json
    json["architectures"] = .list([.text(Self.architecture)])
    return json
  }

  /// The network with its parameters.
  public func build(_ parameters: Parameters) -> TextEncoder { TextEncoder(self, parameters) }

  /// Equal keys.
  public static func == (a: Self, b: Self) -> Bool {
    a.json == b.json && a.hasPooler == b.hasPooler
  }
}
