import Checkpoints

/// The steps that a run skips, past and future, in ascending order and without a common step.
///
/// With the configuration and the data it decides the weights: a run that gets the record from the
/// start, as `guard.skipped`, needs no loss spike to repeat another one.
struct SkipRecord: Equatable, Sendable {
  private(set) var entries: [SkippedSteps]

  init(_ entries: [SkippedSteps] = []) { self.entries = entries }

  /// The number of rollbacks.
  var rollbacks: Int { entries.reduce(0) { $0 + $1.rollbacks } }

  /// Returns the skipped steps of which `step` is one; nil for a step that is trained.
  func entry(at step: Int) -> SkippedSteps? { entries.first { $0.first...$0.last ~= step } }

  /// The entries that begin at or before `step`.
  func upTo(_ step: Int) -> SkipRecord { SkipRecord(entries.filter { $0.first <= step }) }

  /// The entries that begin after `step`.
  func after(_ step: Int) -> SkipRecord { SkipRecord(entries.filter { $0.first > step }) }

  /// Returns the number of updates in the steps up to `step`.
  func updates(upTo step: Int) -> Int {
    entries.reduce(step) { $0 - max(0, min($1.last, step) - $1.first + 1) }
  }

  /// Returns the number of single skipped steps in a row that end with `step`.
  func stepsInARow(upTo step: Int) -> Int {
    var length = 0
    while let entry = entry(at: step - length), entry.kind == .step { length += 1 }
    return length
  }

  /// Returns the step after which `count` trained steps follow up to `step`; at least `lowest`.
  func step(before step: Int, trained count: Int, notBelow lowest: Int) -> Int {
    var (place, left) = (step, count)
    for entry in entries.reversed() where entry.first <= place {
      let trained = max(0, place - entry.last)
      if trained >= left { break }
      left -= trained
      place = entry.first - 1
    }
    return max(lowest, place - left)
  }

  /// Adds steps; entries that have one of them become a part of the new one.
  mutating func insert(_ new: SkippedSteps) {
    var new = new
    let own = entries.filter { $0.first <= new.last && new.first <= $0.last }
    entries.removeAll(where: own.contains)
    for entry in own {
      new.first = min(new.first, entry.first)
      new.last = max(new.last, entry.last)
      new.rollbacks += entry.rollbacks
    }
    if new.count > 1 { new.kind = .range }
    entries.insert(new, at: entries.firstIndex { $0.first > new.last } ?? entries.count)
  }

  /// The steps as `guard.skipped` names them, such as `17, 101-204`.
  var text: String { entries.map(\.text).joined(separator: ", ") }

  /// The number of steps.
  var count: Int { entries.reduce(0) { $0 + $1.count } }
}

extension SkipRecord {
  /// Reads steps as `guard.skipped` names them; returns the first text that is no step or range, is
  /// not ascending, or has a step of the one before.
  static func parse(_ texts: [String]) -> Result<SkipRecord, UnreadableSteps> {
    var entries: [SkippedSteps] = []
    for text in texts {
      let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends.last ?? nil,
        first > entries.last?.last ?? 0, 1...1 << 40 ~= last, first <= last
      else { return .failure(UnreadableSteps(text: text)) }
      entries.append(
        SkippedSteps(
          first, through: last, ends.count == 1 ? .step : .range, reason: "guard.skipped names it"))
    }
    return .success(SkipRecord(entries))
  }

  /// A text that names no steps.
  struct UnreadableSteps: Error, Equatable { let text: String }
}
