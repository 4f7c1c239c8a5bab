import Models
import Tensors
import Tokenizers

/// A model read from disk, ready to be bound to workers.
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
  /// The damaged checkpoints of a run folder that were newer, newest first.
  public let passedOver: [SetAside]

  /// Reads the model at `path`; see `ModelFolder`.
  ///
  /// Weights that are no finite numbers are refused, wherever they come from.
  public init(path: String) throws {
    try self.init(ModelFolder(path: path))
  }

  /// Reads the weights of `folder`.
  public init(_ folder: ModelFolder) throws {
    path = folder.path
    passedOver = folder.passedOver
    configuration = folder.configuration
    tokenizer = folder.tokenizer
    layout = configuration.layout
    parameters = try ModelFiles.read(folder: self.path, layout: layout)
    for entry in layout.entries
    where !parameters.elements[entry.range].allSatisfy(\.isFinite) {
      throw CheckpointError.damaged(
        path: "\(self.path)/\(ModelFiles.weightsName)",
        reason: "\(entry.name) holds numbers that are not finite")
    }
  }
}
