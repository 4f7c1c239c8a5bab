import Models
import Tensors
import Tokenizers

/// A language model read from disk, ready to be bound to workers; LoRA adapters are merged.
package struct LoadedModel: Sendable {
  /// The folder that was read.
  package let path: String
  package let configuration: any ModelConfiguration
  /// Names and places of the parameters.
  package let layout: ParameterLayout
  /// The weights.
  package let parameters: FlatBuffer
  package let tokenizer: any Tokenizer
  /// Notes about skipped damaged checkpoints and unused tensors.
  package let notes: [String]

  /// Reads the model at `path`; see `ModelFolder`.
  ///
  /// Weights that are not finite are refused.
  package init(path: String, readsTokenizer: Bool = true) throws {
    try self.init(ModelFolder(path: path, readsTokenizer: readsTokenizer))
  }

  /// Reads the model at `path`, which must generate text.
  ///
  /// - Parameter allowingSequenceToSequence: True to accept an encoder–decoder.
  package init(generativeModelAt path: String, allowingSequenceToSequence: Bool = false) throws {
    let folder = try ModelFolder(path: path)
    try folder.requireGenerativeModel(allowingSequenceToSequence: allowingSequenceToSequence)
    try self.init(folder)
  }

  /// Reads the weights of `folder`.
  package init(_ folder: ModelFolder) throws {
    path = folder.path
    configuration = try folder.languageModel()
    tokenizer = folder.tokenizer
    let weights = try folder.weights()
    notes = folder.notes + weights.notes(path)
    layout = weights.layout
    parameters = weights.values
  }

  /// Copies the weights that `layout` has in common with this model, by name and shape: the initial
  /// weights of a network with another head, or the frozen weights of a network under LoRA.
  ///
  /// - Returns: The names of the parameters that the model lacks; their values are unchanged.
  package func copy(into values: FlatBuffer, of layout: ParameterLayout) -> [String] {
    NamedWeights(layout: self.layout, values: parameters).copy(into: values, of: layout)
  }
}

/// A sequence classifier read from disk, which may be a reward model; LoRA adapters are merged.
package struct LoadedClassifier: Sendable {
  /// The folder that was read.
  package let path: String
  /// The model and its labels.
  package let configuration: SequenceClassifierConfiguration
  /// Names and places of the parameters.
  package let layout: ParameterLayout
  /// The weights.
  package let parameters: FlatBuffer
  package let tokenizer: any Tokenizer
  /// Notes about skipped damaged checkpoints and unused tensors.
  package let notes: [String]

  /// Reads the classifier at `path`; see `ModelFolder`.
  package init(path: String) throws {
    try self.init(ModelFolder(path: path))
  }

  /// Reads the weights of `folder`.
  package init(_ folder: ModelFolder) throws {
    guard let classifier = folder.classifier else {
      throw CheckpointError.otherNetwork(
        path: folder.path, found: folder.kind, wanted: "a sequence classifier")
    }
    path = folder.path
    configuration = classifier
    tokenizer = folder.tokenizer
    let weights = try folder.weights()
    notes = folder.notes + weights.notes(path)
    layout = weights.layout
    parameters = weights.values
  }
}

extension ModelFolder {
  /// Reads the weights of the folder's network as frozen parameters.
  package func frozen(precision: Precision) throws -> FrozenParameters {
    let weights = try weights()
    return FrozenParameters(layout: weights.layout, values: weights.values, precision: precision)
  }

  /// Copies the weights that `layout` has in common with the folder's network, of any kind, by name
  /// and shape; the rest of `values` is unchanged.
  package func copyWeights(into values: FlatBuffer, of layout: ParameterLayout) throws {
    _ = try weights().copy(into: values, of: layout)
  }
}
