extension NetworkConfiguration {
  /// Modules that the folder of the language model does not have; under LoRA they are trained in
  /// full.
  package var headModules: [String] {
    switch self {
    case is ValueHeadModelConfiguration: [ValueHeadModelConfiguration.headName]
    case let network as SequenceClassifierConfiguration: network.heads
    case is TokenClassifierConfiguration: [TokenClassifierConfiguration.head]
    default: []
    }
  }
}
