import Glibc
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

  /// Reads a run folder (its newest whole checkpoint), a checkpoint, or any folder with
  /// `config.json`, `model.safetensors` and a tokenizer.
  ///
  /// A reader changes nothing: a damaged checkpoint of a run folder is passed over, not set aside.
  /// One that is named itself is refused, and so are weights that are no finite numbers, wherever
  /// they come from.
  public init(path: String) throws {
    (self.path, passedOver) = try LoadedModel.modelFolder(path)
    configuration = try ConfigurationFile.read("\(self.path)/config.json")
    tokenizer = try TokenizerFile.load(from: self.path)
    layout = configuration.layout
    parameters = try ModelFiles.read(folder: self.path, layout: layout)
    for entry in layout.entries
    where !parameters.elements[entry.range].allSatisfy(\.isFinite) {
      throw CheckpointError.damaged(
        path: "\(self.path)/\(ModelFiles.weightsName)",
        reason: "\(entry.name) holds numbers that are not finite")
    }
  }

  private static func modelFolder(_ path: String) throws -> (String, passedOver: [SetAside]) {
    let kind = try FileSystem.kind(of: path)
    guard kind == S_IFDIR else {
      throw CheckpointError.noModel(
        path: path, reason: kind == nil ? "it does not exist" : "it is not a folder")
    }
    if try FileSystem.exists("\(path)/\(Manifest.fileName)") {
      return (try Checkpoint(verifying: path).path, [])
    }
    if try FileSystem.exists("\(path)/config.json") { return (path, []) }
    let recovery = try CheckpointStore(path: "\(path)/checkpoints").newestWhole()
    if let newest = recovery.checkpoint { return (newest.path, recovery.setAside) }
    // Of several damaged ones the newest is the one that somebody wants.
    let reason = recovery.setAside.first.map { "its newest checkpoint is of no use: \($0.reason)" }
    throw CheckpointError.noModel(
      path: path, reason: reason ?? "it has neither config.json nor a whole checkpoint")
  }
}
