import Glibc
import Models
import Tokenizers

/// The folder of a model, found and read but for its weights.
public struct ModelFolder: Sendable {
  /// The folder that holds `config.json`.
  public let path: String
  /// The model's sizes.
  public let configuration: any ModelConfiguration
  /// Its tokenizer.
  public let tokenizer: any Tokenizer
  /// The damaged checkpoints of a run folder that were newer, newest first.
  public let passedOver: [SetAside]

  /// Looks into a run folder (its newest whole checkpoint), a checkpoint, or any folder with
  /// `config.json`, `model.safetensors` and a tokenizer.
  ///
  /// A reader changes nothing: a damaged checkpoint of a run folder is passed over, not set aside.
  /// One that is named itself is refused.
  public init(path: String) throws {
    (self.path, passedOver) = try ModelFolder.find(path)
    configuration = try ConfigurationFile.read("\(self.path)/config.json")
    tokenizer = try TokenizerFile.load(from: self.path)
  }

  /// The SHA-256 of its weights: from the manifest of a checkpoint, else of the file, read whole.
  public func weightsDigest() throws -> String {
    if try FileSystem.exists("\(path)/\(Manifest.fileName)") {
      let files = try Checkpoint(verifiedElsewhere: path).manifest.files
      if let file = files.first(where: { $0.name == ModelFiles.weightsName }) {
        return file.sha256
      }
    }
    return try FileDigest.digest(ofFileAt: "\(path)/\(ModelFiles.weightsName)")
  }

  private static func find(_ path: String) throws -> (String, passedOver: [SetAside]) {
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
