// Heads whose weight is the token embedding.
//
// A configuration ties the head, and the weights file may have a head all the same. If that is the
// embedding again, it changes nothing; if it is another matrix, the configuration is wrong, and the
// head is used, as by transformers from version 5 on.
import Files
import Glibc
import Models

extension ModelFolder {
  /// Reads the network that `config.json` at `path` describes.
  ///
  /// - Parameter isFull: True when the folder holds full weights, whose head counts.
  static func readNetwork(_ path: String, isFull: Bool) throws -> any NetworkConfiguration {
    let network = try ConfigurationFile.readNetwork(path)
    guard isFull, let model = network as? any ModelConfiguration, model.tied else { return network }
    let folder = FileSystem.parent(of: path)
    guard let head = try nameOfOwnHead(of: model, in: folder) else { return network }
    guard let untied = model.untied else {
      throw CheckpointError.otherModel(
        path: folder,
        faults: ["\(head) is not the token embedding, and the model's head is always tied to it"])
    }
    return untied
  }

  /// Returns the name of the head's weight in the folder's weights files when it differs from the
  /// token embedding.
  private static func nameOfOwnHead(
    of model: any ModelConfiguration, in folder: String
  ) throws -> String? {
    let name = ModelFiles.weightsName
    guard
      try FileSystem.exists("\(folder)/\(name)")
        || FileSystem.exists("\(folder)/\(name).index.json")
    else { return nil }
    let file = try ShardedTensors(folder: folder, name: name)
    let names = Set(file.names)
    guard let head = ModelFamilies.headNames.first(where: names.contains),
      let embedding = model.embeddingName.flatMap({
        ModelFamilies.publishedNames(of: $0).first(where: names.contains)
      })
    else { return nil }
    let (own, shared) = (try file.tensor(named: head), try file.tensor(named: embedding))
    return withExtendedLifetime(file) { own.isSame(as: shared) } ? nil : head
  }
}

extension SafeTensor {
  /// True when type, shape and bytes are equal.
  fileprivate func isSame(as other: SafeTensor) -> Bool {
    guard dtype == other.dtype, shape == other.shape else { return false }
    guard let own = bytes.baseAddress, let others = other.bytes.baseAddress else { return true }
    return memcmp(own, others, bytes.count) == 0
  }
}
