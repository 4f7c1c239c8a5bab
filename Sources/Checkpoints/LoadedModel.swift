import Models
import Tensors
import Tokenizers

/// A language model read from disk, ready to be bound to workers; low-rank maps are merged.
public struct LoadedModel: Sendable {
  /// The folder that was read.
  public let path: String
  /// The model's sizes.
  public let configuration: any ModelConfiguration
  /// Names and places of its parameters.
  public let layout: ParameterLayout
  /// Its weights.
  public let parameters: FlatBuffer
  /// Its tokenizer.
  public let tokenizer: any Tokenizer
  /// Sentences on what was passed over: damaged checkpoints, tensors that no parameter has.
  public let notes: [String]

  /// Reads the model at `path`; see `ModelFolder`.
  ///
  /// Weights that are no finite numbers are refused, wherever they come from.
  public init(path: String) throws {
    try self.init(ModelFolder(path: path))
  }

  /// Reads the model at `path`, which has to write text.
  ///
  /// - Parameter allowingTargets: Whether it may write a target to a source.
  public init(writerAt path: String, allowingTargets: Bool = false) throws {
    let folder = try ModelFolder(path: path)
    try folder.requireWriter(allowingTargets: allowingTargets)
    try self.init(folder)
  }

  /// Reads the weights of `folder`.
  public init(_ folder: ModelFolder) throws {
    path = folder.path
    configuration = try folder.languageModel()
    tokenizer = folder.tokenizer
    let weights = try folder.weights()
    notes = folder.notes + weights.notes(path)
    layout = weights.layout
    parameters = weights.values
  }

  /// Copies what `layout` has in common with this model, by name and shape: the first weights of a
  /// network with another head, or the frozen ones of one under LoRA.
  ///
  /// - Returns: The names of the parameters that are not in the model; they are as they were.
  public func copy(into values: FlatBuffer, of layout: ParameterLayout) -> [String] {
    NamedWeights(layout: self.layout, values: parameters).copy(into: values, of: layout)
  }
}

/// A sequence scorer read from disk: a reward model or a classifier; low-rank maps are merged.
public struct LoadedScorer: Sendable {
  /// The folder that was read.
  public let path: String
  /// Sizes and labels.
  public let configuration: SequenceScorerConfiguration
  /// Names and places of its parameters.
  public let layout: ParameterLayout
  /// Its weights.
  public let parameters: FlatBuffer
  /// Its tokenizer.
  public let tokenizer: any Tokenizer
  /// Sentences on what was passed over: damaged checkpoints, tensors that no parameter has.
  public let notes: [String]

  /// Reads the scorer at `path`; see `ModelFolder`.
  public init(path: String) throws {
    try self.init(ModelFolder(path: path))
  }

  /// Reads the weights of `folder`.
  public init(_ folder: ModelFolder) throws {
    guard let scorer = folder.scorer else {
      throw CheckpointError.otherNetwork(
        path: folder.path, found: folder.kind, wanted: "a model that scores sequences")
    }
    path = folder.path
    configuration = scorer
    tokenizer = folder.tokenizer
    let weights = try folder.weights()
    notes = folder.notes + weights.notes(path)
    layout = weights.layout
    parameters = weights.values
  }
}

extension ModelFolder {
  /// The weights of the network that is here, only to be read.
  public func frozen(precision: Precision) throws -> FrozenParameters {
    let weights = try weights()
    return FrozenParameters(layout: weights.layout, values: weights.values, precision: precision)
  }

  /// Copies what `layout` has in common with the weights here, by name and shape, whatever kind of
  /// network they are of; the rest of `values` stays as it is.
  public func copyWeights(into values: FlatBuffer, of layout: ParameterLayout) throws {
    _ = try weights().copy(into: values, of: layout)
  }
}
