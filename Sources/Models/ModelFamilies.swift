// "The families, one folder each, in reading order."

/// The registry of model families.
package enum ModelFamilies {
  /// All families; the first is the default of `model.family`.
  package static let all: [ModelFamily] = [
    .gpt2,
    .llama,
    .bert,
    .t5,
    .gemma, .gemma3,
  ]

  /// The supported values of `model_type`, sorted.
  static var modelTypes: [String] { all.flatMap(\.modelTypes).sorted() }

  /// Returns the family that reads a `config.json` of this `model_type`.
  static func reading(modelType: String) -> ModelFamily? {
    all.first { $0.modelTypes.contains(modelType) }
  }
}
