import Checkpoints
import Files

extension TrainingPlan {
  /// The size of a checkpoint's weights and optimizer state in bytes.
  package var checkpointBytes: Double {
    Double(MemoryLayout<Float>.stride) * Double(parameters.trained)
      * Double(1 + stateNames.count)
  }

  /// Steps between checkpoints, which with DiLoCo wait for the end of a round; 0 saves only at the end.
  package var stepsBetweenSaves: Int {
    let round = diloco?.innerSteps ?? 1
    return (checkpointEvery + round - 1) / round * round
  }

  /// Refuses a run from `step` on whose checkpoints need more than the `available` bytes of the disk
  /// of `folder`, where `published` checkpoints are.
  func requireRoom(
    in folder: RunFolder, available: Int, from step: Int, published: Int
  ) throws(StartRefusal) {
    // A rollback keeps up to two more checkpoints; see `CheckpointCycle.oldestNeeded`.
    let retention = RetentionPolicy(
      keep: retention.keep + (onSpike.action == .rollback ? 2 : 0), keepEvery: retention.keepEvery)
    let more = retention.growth(
      from: step, to: steps, every: stepsBetweenSaves, published: published)
    let needed = Double(more) * checkpointBytes
    if needed > Double(available) {
      throw .noRoom(
        path: folder.checkpoints.path, checkpoints: more, needed: Int(min(needed, 1e18)),
        available: available)
    }
  }

  /// Refuses a run whose checkpoints do not fit on the disk of `folder`, which need not exist yet.
  func requireRoom(in folder: RunFolder, after checkpoint: Checkpoint?) throws {
    try requireRoom(
      in: folder, available: FileSystem.freeBytes(at: folder.path), from: checkpoint?.step ?? 0,
      published: folder.checkpoints.publishedSteps().count)
  }
}
