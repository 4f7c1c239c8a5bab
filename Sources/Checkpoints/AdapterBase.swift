import Models

/// The base model of a LoRA adapter, as the adapter's folder names it.
package struct AdapterBase: Sendable, Equatable {
  /// The folder of the base model: a checkpoint or a Hugging Face folder.
  package let path: String
  /// The SHA-256 of the base model's weights.
  package let digest: String

  /// The metadata key of the digest in an adapter's weights file; PEFT ignores it.
  static let digestKey = "base_sha256"
}

extension AdapterBase {
  /// The base model in `folder`, whose weights are read once to compute their SHA-256.
  package init(_ folder: ModelFolder) throws {
    self.init(path: folder.path, digest: try folder.weightsDigest())
  }
}

extension AdapterBase {
  /// Refuses to resume from a LoRA adapter in `checkpoint` that was trained on other weights.
  package func requireSame(in checkpoint: Checkpoint) throws {
    let weights = try SafeTensorsFile(
      path: try checkpoint.path(of: AdapterConfiguration.weightsName))
    if let known = weights.metadata[AdapterBase.digestKey], known != digest {
      throw CheckpointError.changedBase(
        path: checkpoint.path, base: path, expected: known, found: digest)
    }
  }
}
