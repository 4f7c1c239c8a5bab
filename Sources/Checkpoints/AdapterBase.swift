import Models

/// The model beside which low-rank maps are trained, as their folder names it.
public struct AdapterBase: Sendable, Equatable {
  /// Its folder: a checkpoint or a Hugging Face folder.
  public let path: String
  /// The SHA-256 of its weights.
  public let digest: String

  /// The key under which an adapter's weights file tells the digest; PEFT passes it over.
  static let digestKey = "base_sha256"
}

extension AdapterBase {
  /// The model in `folder`, whose weights are read once for their SHA-256.
  public init(_ folder: ModelFolder) throws {
    self.init(path: folder.path, digest: try folder.weightsDigest())
  }
}

extension AdapterBase {
  /// Refuses to go on from low-rank maps in `checkpoint` that were trained beside other weights.
  public func requireSame(in checkpoint: Checkpoint) throws {
    let weights = try SafeTensorsFile(
      path: try checkpoint.path(of: AdapterConfiguration.weightsName))
    if let known = weights.metadata[AdapterBase.digestKey], known != digest {
      throw CheckpointError.changedBase(
        path: checkpoint.path, base: path, expected: known, found: digest)
    }
  }
}
