// The network that PEFT opens for an adapter: that of the base model, with another head for some
// tasks, and with an untied head when the adapter replaces one side of the tie.
import Models
import Tensors

extension ModelFolder {
  /// Returns the network of an adapter on this base model, for a folder without a `config.json`.
  ///
  /// - Parameter weights: The adapter's weights, which tell the number of classes.
  func adaptedNetwork(
    _ adapter: AdapterConfiguration, _ weights: SafeTensorsFile
  ) throws -> any NetworkConfiguration {
    guard let model = network as? any ModelConfiguration else { return network }
    if let task = adapter.headTask {
      return try classifier(for: task, on: model, adapter, weights)
    }
    guard adapter.untiesHead(of: model) else { return model }
    guard model.savesEmbeddingInFull, let untied = model.untied else {
      throw ModelError.unsupported(
        path: path, key: "modules_to_save of an adapter",
        value: adapter.lora.modulesToSave.joined(separator: ", "),
        supported: "modules apart from the token embedding, to which the head is tied")
    }
    return untied
  }

  private func classifier(
    for task: AdapterConfiguration.HeadTask, on model: any ModelConfiguration,
    _ adapter: AdapterConfiguration, _ weights: SafeTensorsFile
  ) throws -> any NetworkConfiguration {
    let padding = model.padding ?? generation.padding.map { Int($0) }
    func network(_ labels: [String]) throws(ModelError) -> any NetworkConfiguration {
      switch task {
      case .tokenClassification: try TokenClassifierConfiguration(model, labels: labels)
      case .sequenceClassification:
        try SequenceClassifierConfiguration(
          model, labels: labels, problem: labels.count == 1 ? .regression : .classification,
          padding: padding)
      }
    }
    let head = try network(["0"]).headModules.last ?? ""
    let tensor = try weights.tensor(named: "\(AdapterConfiguration.prefix)\(head).weight")
    return try network((0..<tensor.shape[0]).map { "LABEL_\($0)" })
  }

  /// Returns the network whose weights this base model gives to a network of `layout`: its own, or the
  /// encoder with a pooler, which is no part of a language model.
  func baseNetwork(for layout: ParameterLayout) -> any NetworkConfiguration {
    let hasPooler = layout.entries.contains { $0.name.hasPrefix(Pooler.name) }
    guard hasPooler, network is any ModelConfiguration else { return network }
    return TextEncoderConfiguration(configuration, hasPooler: true)
  }
}

extension AdapterConfiguration {
  /// True when the adapter has an embedding or a head of its own, and PEFT leaves the other as it is.
  fileprivate func untiesHead(of model: any ModelConfiguration) -> Bool {
    guard model.tied, !tiesSavedEmbedding else { return false }
    let names = [model.embeddingName, model.tiedHeadName].compactMap(\.self)
    return names.map(ParameterLayout.module).contains(where: savesInFull)
  }
}
