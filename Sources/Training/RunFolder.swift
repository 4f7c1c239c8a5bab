import Checkpoints
import Files

/// The paths of a run's files.
package struct RunFolder: Sendable {
  package let path: String

  /// The folder at `path`, which need not exist.
  package init(_ path: String) {
    self.path = path
  }

  /// The configuration with every default written out.
  package var configuration: String { "\(path)/config.yaml" }
  /// Versions, CPU and hosts.
  package var environment: String { "\(path)/environment.json" }
  /// One line per step and evaluation.
  package var metrics: String { "\(path)/metrics.jsonl" }
  /// Token shards made from the run's text.
  package var data: String { "\(path)/data" }
  /// The trace of the threads of `rank` with `--profile`, for chrome://tracing.
  package func trace(rank: Int) -> String { "\(path)/profile/trace-rank-\(rank).json" }
  package var checkpoints: CheckpointStore { CheckpointStore(path: "\(path)/checkpoints") }

  /// The signs of life of the ranks while a run is under way; see `Watchdog`.
  var signs: String { "\(path)/signs" }

  /// The folder of the checkpoint of `step`.
  package func checkpoint(step: Int) -> String { checkpoints.path(ofStep: step) }

  /// Creates the folder.
  package func create() throws(StorageError) {
    try FileSystem.makeFolder(path)
  }

  /// Creates the folder of the traces.
  package func createProfile() throws(StorageError) {
    try FileSystem.makeFolder("\(path)/profile")
  }

  /// Writes the configuration, and replaces that of an earlier attempt.
  package func write(configuration text: String) throws(StorageError) {
    try write(Array(text.utf8), as: "config.yaml")
  }

  /// Writes a file of the folder, and replaces an earlier one.
  package func write(_ bytes: [UInt8], as name: String) throws(StorageError) {
    // Written under another name and renamed: a full disk must not destroy the earlier file.
    try PendingFile.write(bytes, to: "\(path)/\(name)")
  }

  /// Moves the checkpoints after `step`, or all for nil, to another folder; nothing is deleted.
  ///
  /// Without a step the metrics and the record of skipped steps are moved with them: they belong to
  /// the same history.
  ///
  /// - Returns: Their new folder; nil if there were none.
  package func setCheckpointsAside(after step: Int?, attempt: String) throws(StorageError)
    -> String?
  {
    let steps = try checkpoints.publishedSteps().filter { $0 > step ?? -1 }
    if steps.isEmpty { return nil }
    let aside = "\(checkpoints.path).before-\(attempt)"
    try FileSystem.makeFolder(aside)
    // Newest first: an interruption leaves a consistent history.
    for step in steps.reversed() {
      let folder = checkpoint(step: step)
      let name = folder.split(separator: "/").last.map(String.init) ?? folder
      try FileSystem.rename(folder, to: "\(aside)/\(name)")
    }
    if step == nil {
      for name in ["metrics.jsonl", SkipFile.name] where try FileSystem.exists("\(path)/\(name)") {
        try FileSystem.rename("\(path)/\(name)", to: "\(aside)/\(name)")
      }
    }
    return aside
  }
}
