import Checkpoints

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
  /// What the threads of `rank` did, with `--profile`; for chrome://tracing.
  public func trace(rank: Int) -> String { "\(path)/profile/trace-rank-\(rank).json" }
  /// Checkpoints.
  public var checkpoints: CheckpointStore { CheckpointStore(path: "\(path)/checkpoints") }

  /// The folder of the checkpoint of `step`.
  public func checkpoint(step: Int) -> String { checkpoints.path(ofStep: step) }

  /// Makes the folder.
  public func create() throws(StorageError) {
    try FileSystem.makeFolder(path)
  }

  /// Makes the folder of the traces.
  public func createProfile() throws(StorageError) {
    try FileSystem.makeFolder("\(path)/profile")
  }

  /// Writes the configuration, in place of an earlier attempt's.
  public func write(configuration text: String) throws(StorageError) {
    try write(Array(text.utf8), as: "config.yaml")
  }

  /// Writes a file of the folder, in place of an earlier one.
  func write(_ bytes: [UInt8], as name: String) throws(StorageError) {
    // Written beside its place and renamed: a full disk must not cost the file of an earlier attempt.
    var file = try DurableFile(creating: "\(path)/\(name).tmp")
    try file.write(bytes)
    _ = try file.close()
    try FileSystem.rename("\(path)/\(name).tmp", to: "\(path)/\(name)")
  }

  /// Moves the checkpoints after `step`, or all with nil, out of the way; nothing is deleted.
  ///
  /// Without a step the metrics go with them: they belong to a history that ends here.
  ///
  /// - Returns: Where they are now, or nil if there were none.
  public func setCheckpointsAside(after step: Int?, attempt: String) throws(StorageError)
    -> String?
  {
    let steps = try checkpoints.publishedSteps().filter { $0 > step ?? -1 }
    if steps.isEmpty { return nil }
    let aside = "\(checkpoints.path).before-\(attempt)"
    try FileSystem.makeFolder(aside)
    // Newest first: the rest is a history of its own at every moment.
    for step in steps.reversed() {
      let folder = checkpoint(step: step)
      let name = folder.split(separator: "/").last.map(String.init) ?? folder
      try FileSystem.rename(folder, to: "\(aside)/\(name)")
    }
    if step == nil {
      let hasMetrics = try FileSystem.exists(metrics)
      if hasMetrics { try FileSystem.rename(metrics, to: "\(aside)/metrics.jsonl") }
    }
    return aside
  }
}
