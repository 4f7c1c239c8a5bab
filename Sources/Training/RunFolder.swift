import Checkpoints
import Foundation

/// The places of a run's files.
public struct RunFolder: Sendable {
  /// The folder.
  public let path: String

  /// The folder at `path`, which need not exist.
  public init(_ path: String) {
    self.path = path
  }

  /// The configuration with every default written out.
  public var configuration: String { "\(path)/config.yaml" }
  /// Versions, CPU, hosts.
  public var environment: String { "\(path)/environment.json" }
  /// One line per step and evaluation.
  public var metrics: String { "\(path)/metrics.jsonl" }
  /// Token shards made from the run's text.
  public var data: String { "\(path)/data" }
  /// Checkpoints.
  public var checkpoints: CheckpointStore { CheckpointStore(path: "\(path)/checkpoints") }

  /// Makes the folder and writes the configuration.
  public func create(configuration text: String) throws(StorageError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw StorageError(error, path: path, operation: "make the run folder")
    }
    // Written beside its place and renamed: a full disk must not cost the file of an earlier attempt.
    var file = try DurableFile(creating: "\(configuration).tmp")
    try file.write(text)
    _ = try file.close()
    guard rename("\(configuration).tmp", configuration) == 0 else {
      throw .io(path: configuration, operation: "rename to", code: errno)
    }
  }

  /// Moves the checkpoints of an earlier attempt out of the way; nothing is deleted.
  ///
  /// - Returns: Where they are now, or nil if there were none.
  public func setCheckpointsAside(attempt: String) throws(StorageError) -> String? {
    guard try !checkpoints.publishedSteps().isEmpty else { return nil }
    let aside = "\(path)/checkpoints.before-\(attempt)"
    guard rename(checkpoints.path, aside) == 0 else {
      throw .io(path: aside, operation: "rename to", code: errno)
    }
    return aside
  }
}

extension StorageError {
  /// What the system's file manager ran into.
  init(_ error: any Error, path: String, operation: String) {
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    let code = Int32(underlying?.code ?? (error as NSError).code)
    switch code {
    case EROFS: self = .readOnly(path: path)
    case ENOSPC, EDQUOT: self = .full(path: path, needed: nil, available: nil)
    default: self = .io(path: path, operation: operation, code: code)
    }
  }
}
