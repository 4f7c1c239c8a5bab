// What stands above the encoder: the head that BERT is pretrained with, and the vector of a whole
// text that other heads read.
import Layers
import Tensors

/// A BERT that tells masked tokens, as Hugging Face's `BertForMaskedLM`: a transform of the hidden
/// state, then the token embedding with a bias of its own.
struct MaskedModel: LanguageModel {
  private let trunk: BERT
  private let dense: Linear
  private let activation: GELU
  private let norm: LayerNorm
  let head: Linear

  init(_ configuration: BERTConfiguration, _ parameters: Parameters) {
    let c = configuration
    trunk = BERT(c, parameters)
    let predictions = parameters["cls"]["predictions"]
    let transform = predictions["transform"]
    dense = Linear(
      transform["dense"], inputs: c.width, outputs: c.width, bias: true,
      deviation: c.initialDeviation)
    activation = c.activation
    norm = LayerNorm(transform["LayerNorm"], width: c.width, epsilon: c.epsilon)
    head = Linear(
      tiedTo: trunk.tokens.weight,
      bias: predictions.tensor("bias", [c.vocabulary], .constant(0), decays: false))
  }

  func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor { trunk.hidden(ids, pass) }

  func transform(_ hidden: Tensor, _ pass: ForwardPass) -> Tensor {
    norm(dense(hidden, pass, precise: true).gelu(activation))
  }
}

/// One vector for a text: tanh of a linear map of the hidden state of its first token.
public struct Pooler {
  /// The name of its module.
  static let name = "bert.pooler.dense"

  private let dense: Linear
  private let dropout: Dropout

  init(_ c: BERTConfiguration, _ parameters: Parameters) {
    dense = Linear(
      parameters["bert"]["pooler"]["dense"], inputs: c.width, outputs: c.width, bias: true,
      deviation: c.initialDeviation, isHead: true)
    dropout = Dropout(rate: c.dropout, site: 3 * c.layers + 1)
  }

  /// Hidden states of first tokens, [B, C] → [B, C].
  public func callAsFunction(_ first: Tensor, _ pass: ForwardPass) -> Tensor {
    dropout(dense(first, precise: true).tanh(), pass)
  }
}
