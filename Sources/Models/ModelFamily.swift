/// A family of models: one network and one configuration type, with what the rest of the program
/// needs to know about them.
///
/// A family's folder holds the network, the configuration with its keys of `config.json`, and an
/// extension of this type with one constant, which `ModelFamilies.all` lists.
package struct ModelFamily: Sendable {
  /// The name in `model.family`.
  package let name: String
  /// Reads and writes `config.json`, makes new models and builds the network.
  let configuration: any ModelConfiguration.Type
  /// The values of `model_type` in `config.json` that the configuration reads.
  let modelTypes: [String]
  /// The names of the weights in published files.
  let weightNames: WeightNames
  /// The keys under `model.` that this family has and some others have not.
  package internal(set) var keys: Set<NewModel.Key> = [.initialStd]
  /// Width of the feed-forward layers of a new model divided by that of the residual stream, as the
  /// help text states it.
  package let feedForwardRatio: String
  /// True when the head of a new model is tied to the token embedding by default.
  package internal(set) var isTied = true
  /// True when the family has models with an untied head.
  package internal(set) var allowsUntiedHead = true

  /// The token that the family's models predict.
  package var prediction: Prediction { configuration.prediction }
}

extension ModelFamily: Equatable {
  package static func == (a: Self, b: Self) -> Bool { a.name == b.name }
}
