import Models
import Tensors

/// What a run trains: a language model, alone or with a value head, or one with another head.
public enum TrainedNetwork: Sendable {
  /// A language model.
  case language(any ModelConfiguration)
  /// A language model with a value head.
  case valued(ValuedModelConfiguration)
  /// A scorer of sequences.
  case scorer(SequenceScorerConfiguration)
  /// What gives tokens classes.
  case tagger(TokenTaggerConfiguration)

  /// The same on a worker.
  enum Built {
    case language(any LanguageModel)
    case valued(ValuedModel)
    case scorer(SequenceScorer)
  }

  /// The language model whose trunk it has.
  public var model: any ModelConfiguration {
    switch self {
    case .language(let model): model
    case .valued(let network): network.model
    case .scorer(let network): network.model
    case .tagger(let network): network.model
    }
  }

  /// Names, shapes and keys.
  var configuration: any NetworkConfiguration {
    switch self {
    case .language(let model): model
    case .valued(let network): network
    case .scorer(let network): network
    case .tagger(let network): network
    }
  }

  func build(_ parameters: Parameters) -> Built {
    switch self {
    case .language(let model): .language(model.build(parameters))
    case .valued(let network): .valued(network.build(parameters))
    case .scorer(let network): .scorer(network.build(parameters))
    case .tagger(let network): .language(network.build(parameters))
    }
  }

  /// Modules that the language model's own folder does not have; under LoRA they are trained whole.
  var heads: [String] {
    switch self {
    case .language: []
    case .valued: [ValuedModelConfiguration.headName]
    case .scorer(let network): network.heads
    case .tagger: [TokenTaggerConfiguration.head]
    }
  }
}
