import Models
import Tensors
import Tokenizers

/// A network read from disk, ready to be bound to workers; LoRA adapters are merged.
package struct LoadedNetwork<Configuration: Sendable>: Sendable {
  /// The folder that was read.
  package var path: String { folder.path }
  package let configuration: Configuration
  /// Names and places of the parameters.
  package let layout: ParameterLayout
  /// The weights.
  package let parameters: FlatBuffer
  package let tokenizer: any Tokenizer
  private let folder: ModelFolder
  /// The model's settings for generating text.
  package let generation: GenerationConfiguration
  /// Notes about skipped damaged checkpoints, ignored keys and unused tensors.
  package let notes: [String]

  /// Reads the weights of `network` in `folder`; weights that are not finite are refused.
  fileprivate init(
    _ folder: ModelFolder, _ configuration: Configuration, of network: any NetworkConfiguration,
    notesUnused: Bool = true
  ) throws {
    let weights = try folder.weights(of: network)
    self.folder = folder
    self.configuration = configuration
    tokenizer = folder.tokenizer
    generation = folder.generation
    notes = folder.notes + (notesUnused ? weights.notes(folder.path) : [])
    layout = weights.layout
    parameters = weights.values
  }
}

extension LoadedNetwork {
  /// Returns the chat template of the folder; see `ModelFolder`.
  package func chatTemplate() throws -> ChatTemplate? { try folder.chatTemplate() }
}

/// A language model.
package typealias LoadedModel = LoadedNetwork<any ModelConfiguration>

extension LoadedModel {
  /// Reads the model at `path`; see `ModelFolder`.
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
    let model = try folder.languageModel()
    try self.init(folder, model, of: model)
  }

  /// Copies the weights that `layout` has in common with this model, by name and shape: the initial
  /// weights of a network with another head, or the frozen weights of a network under LoRA.
  ///
  /// - Returns: The names of the parameters that the model lacks; their values are unchanged.
  package func copy(into values: FlatBuffer, of layout: ParameterLayout) -> [String] {
    NamedWeights(layout: self.layout, values: parameters).copy(into: values, of: layout)
  }
}

/// A sequence classifier, which may be a reward model.
package typealias LoadedClassifier = LoadedNetwork<SequenceClassifierConfiguration>

extension LoadedClassifier {
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
    try self.init(folder, classifier, of: classifier)
  }
}

/// The backbone of a network, for text embeddings.
package typealias LoadedEncoder = LoadedNetwork<TextEncoderConfiguration>

extension LoadedEncoder {
  /// Reads the network at `path`, of any kind but an encoder–decoder; see `ModelFolder`.
  ///
  /// A language model has no pooler. The unused heads are not worth a note.
  package init(path: String) throws {
    let folder = try ModelFolder(path: path)
    try folder.refuseEncoderDecoder()
    let encoder = TextEncoderConfiguration(
      folder.configuration,
      hasPooler: folder.classifier != nil || folder.network is TextEncoderConfiguration)
    try self.init(folder, encoder, of: encoder, notesUnused: false)
  }
}
