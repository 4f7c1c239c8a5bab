import Configuration

/// The keys that say what a run does at a loss spike.
package struct SpikeOptions: Sendable {
  /// The answer to a loss spike.
  package enum Action: String, Sendable, CaseIterable {
    /// The run ends, with exit code 3.
    case stop
    /// The update of the step is not applied; see `SpikeRule`.
    case skip
    /// The run goes back, where `stop` would end it, to a step before the spike, and skips the batches
    /// from there to the spike, as that of PaLM did by hand (arXiv:2204.02311, section 5.1).
    case rollback
  }

  package let action: Action
  /// The standard deviations above the mean from which `skip` skips a step.
  let deviations: Double
  /// Trained steps before the spike that `rollback` undoes as well.
  let rollbackSteps: Int
  /// The skipped steps in a row, or the rollbacks of a run, after which a further spike ends it.
  let limit: Int
  /// The steps that the run skips whatever their losses.
  let skipped: SkipRecord

  /// Reads the keys.
  init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    action = try reader.choice(
      "guard.onSpike", default: .stop,
      help: "stop: a loss spike ends the run; skip: the update of a step with a spike is not "
        + "applied; rollback: the run goes back to before the spike and skips the batches that led "
        + "to it")
    deviations = try reader.number(
      "guard.std", default: 6, in: 1...,
      help: "skip: a loss or gradient norm above the mean of the last 128 trained steps by more "
        + "than so many of their standard deviations is a spike")
    rollbackSteps = try reader.integer(
      "guard.rollbackSteps", default: 100, in: 1...1_000_000_000, unit: "steps",
      help: "rollback: trained steps before the spike that are undone as well")
    limit = try reader.integer(
      "guard.limit", default: 5, in: 1...1_000_000_000, decidesBits: false,
      help: "skipped steps in a row, or rollbacks of a run, after which a further spike ends it")
    let texts = try reader.strings(
      "guard.skipped", default: [],
      help:
        "steps, and ranges such as 101-204, whose batches the run does not learn from; the end of "
        + "a run names those that it skipped")
    do throws(SkipRecord.UnreadableSteps) {
      skipped = try SkipRecord.parse(texts).get()
    } catch {
      throw reader.rejection(
        of: "guard.skipped",
        because: "\(error.text) is not a step, or a range such as 101-204, after those before it; "
          + "list steps from 1 in ascending order")
    }
    for (key, uses) in [
      ("guard.std", action == .skip), ("guard.rollbackSteps", action == .rollback),
      ("guard.limit", action != .stop),
    ] where !uses && reader.isChanged(key) {
      throw reader.rejection(
        of: key,
        because: "it has no effect with guard.onSpike: \(action.rawValue); leave it out")
    }
  }
}
