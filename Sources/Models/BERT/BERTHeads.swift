// The masked-language-model head, with which BERT is pretrained, and the pooler, whose output is
// the input of the heads for whole texts.
import Layers
import Tensors

/// A masked language model, as Hugging Face's `BertForMaskedLM`: a transform of the hidden state,
/// then a head tied to the token embedding, with a bias of its own.
struct MaskedModel: LanguageModel {
  private let backbone: BERT
  private let dense: Linear
  private let activation: GELU
  private let norm: LayerNorm
  let head: Linear

  init(_ configuration: BERTConfiguration, _ parameters: Parameters) {
    let c = configuration
    backbone = BERT(c, parameters)
    let predictions = parameters["cls"]["predictions"]
    let transform = predictions["transform"]
    dense = Linear(
      transform["dense"], inputs: c.width, outputs: c.width, bias: true,
      std: c.initialStd)
    activation = c.activation
    norm = LayerNorm(transform["LayerNorm"], width: c.width, epsilon: c.epsilon)
    head = Linear(
      tiedTo: backbone.tokens.weight,
      bias: predictions.tensor("bias", [c.vocabulary], .constant(0), decays: false),
      as: predictions["decoder"])
  }

  func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor { backbone.hidden(ids, pass) }

  func transform(_ hidden: Tensor, _ pass: ForwardPass) -> Tensor {
    norm(dense(hidden, pass, fp32Output: true).gelu(activation))
  }
}

/// BERT's pooler: one vector per text, tanh of a linear layer on the hidden state of its first
/// token.
package struct Pooler {
  /// The name of the module.
  package static let name = "bert.pooler.dense"

  private let dense: Linear
  private let dropout: Dropout

  init(_ c: BERTConfiguration, _ parameters: Parameters) {
    dense = Linear(
      parameters["bert"]["pooler"]["dense"], inputs: c.width, outputs: c.width, bias: true,
      std: c.initialStd, isHead: true)
    dropout = Dropout(rate: c.classifierDropout, site: 3 * c.layers + 1)
  }

  /// Hidden states of the first tokens, [B, C] → [B, C].
  package func callAsFunction(_ first: Tensor, _ pass: ForwardPass) -> Tensor {
    dropout(dense(first, fp32Output: true).tanh(), pass)
  }
}
