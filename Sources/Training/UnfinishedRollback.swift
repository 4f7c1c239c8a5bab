import Checkpoints
import Files

/// A rollback whose record is written, and whose undone checkpoints are still in the folder, because the
/// run was killed between the two.
enum UnfinishedRollback {
  /// Returns the last step that is not undone; nil unless `folder` has checkpoints of undone steps.
  ///
  /// A checkpoint from within or after the steps of a rollback is of undone steps unless it records
  /// that it skipped them. The record counts only under the settings with which it was written.
  static func target(in folder: RunFolder) throws -> Int? {
    // A record that cannot be read is reported when the run begins.
    guard let file = try? SkipFile(in: folder) else { return nil }
    let rollbacks = file.record.entries.filter { $0.rollbacks > 0 }
    guard let first = rollbacks.first?.first else { return nil }
    let store = folder.checkpoints
    for step in try store.publishedSteps() where step >= first {
      // A damaged checkpoint is set aside later.
      guard
        let checkpoint = try? Checkpoint(verifiedElsewhere: store.path(ofStep: step)),
        let state = try? TrainingState(from: checkpoint), state.settings == file.settings
      else { continue }
      let skipped = state.skipped ?? []
      let undone = rollbacks.first { entry in
        entry.first <= step
          && !skipped.contains { $0.first == entry.first && $0.last == entry.last }
      }
      if let undone { return undone.first - 1 }
    }
    return nil
  }
}
