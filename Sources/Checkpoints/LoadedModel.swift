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

  /// Reads a run folder (its newest whole checkpoint), a checkpoint, or any folder with
  /// `config.json`, `model.safetensors` and a tokenizer.
  ///
  /// A reader changes nothing: a damaged checkpoint is passed over, not set aside.
  public init(path: String) throws {
    self.path = try LoadedModel.modelFolder(path)
    configuration = try ConfigurationFile.read("\(self.path)/config.json")
    tokenizer = try TokenizerFile.load(from: self.path)
    layout = configuration.layout
    parameters = try ModelFiles.read(folder: self.path, layout: layout)
  }

  private static func modelFolder(_ path: String) throws -> String {
    if try FileSystem.exists("\(path)/config.json") { return path }
    let store = CheckpointStore(path: "\(path)/checkpoints")
    if let newest = try store.newestWhole() { return newest.path }
    throw CheckpointError.notACheckpoint(
      path: path, reason: "it has neither config.json nor a whole checkpoint")
  }
}
