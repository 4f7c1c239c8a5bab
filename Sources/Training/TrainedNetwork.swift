import Models
import Tensors

/// The network that a run trains: a language model, alone or with a value head, or a classifier.
package enum TrainedNetwork: Sendable {
  case language(any ModelConfiguration)
  case withValueHead(ValueHeadModelConfiguration)
  case classifier(SequenceClassifierConfiguration)
  case tokenClassifier(TokenClassifierConfiguration)

  /// The network on a worker; a token classifier has the interface of a language model.
  package enum Built {
    case language(any LanguageModel)
    case withValueHead(ValueHeadModel)
    case classifier(SequenceClassifier)
  }

  /// The language model whose backbone the network has.
  package var model: any ModelConfiguration {
    switch self {
    case .language(let model): model
    case .withValueHead(let network): network.model
    case .classifier(let network): network.model
    case .tokenClassifier(let network): network.model
    }
  }

  /// The configuration with the parameter layout of the whole network.
  package var configuration: any NetworkConfiguration {
    switch self {
    case .language(let model): model
    case .withValueHead(let network): network
    case .classifier(let network): network
    case .tokenClassifier(let network): network
    }
  }

  package func build(_ parameters: Parameters) -> Built {
    switch self {
    case .language(let model): .language(model.build(parameters))
    case .withValueHead(let network): .withValueHead(network.build(parameters))
    case .classifier(let network): .classifier(network.build(parameters))
    case .tokenClassifier(let network): .language(network.build(parameters))
    }
  }

  /// Modules that the folder of the language model does not have; under LoRA they are trained in
  /// full.
  package var heads: [String] {
    switch self {
    case .language: []
    case .withValueHead: [ValueHeadModelConfiguration.headName]
    case .classifier(let network): network.heads
    case .tokenClassifier: [TokenClassifierConfiguration.head]
    }
  }
}
