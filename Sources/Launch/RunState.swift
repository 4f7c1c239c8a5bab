import Files

/// The progress of a run as its folder shows it.
///
/// A step counts when it is in metrics.jsonl or has a checkpoint. The folder of a recipe has one
/// folder per stage: its progress is the sum of theirs.
package struct RunState: Equatable, Sendable {
  /// A published checkpoint.
  package struct Checkpoint: Equatable, Sendable {
    package let step: Int
    package let path: String
    let identity: FileStatus.Identity?
  }

  /// A folder with steps: the run itself, or a stage of a recipe.
  package struct Stage: Equatable, Sendable {
    /// The name of the stage; empty for the run itself.
    package let name: String
    /// The published checkpoints, oldest first.
    package let checkpoints: [Checkpoint]
    /// The path of metrics.jsonl.
    let metrics: String

    init(_ name: String, in folder: String) {
      self.name = name
      checkpoints = RunState.checkpoints(in: folder)
      metrics = FileSystem.join(folder, "metrics.jsonl")
    }

    /// The newest step of a checkpoint or of the metrics.
    var step: Int {
      max(
        checkpoints.last?.step ?? 0, MetricsTail.lines(of: metrics, count: 1).last?.step ?? 0)
    }
  }

  /// The newest step; the sum of those of all stages.
  package let step: Int
  /// The run itself, then the stages of a recipe.
  package let stages: [Stage]
  /// The checkpoints of the folder itself, oldest first.
  package var checkpoints: [Checkpoint] { stages[0].checkpoints }

  /// Reads the run folder or the folder of a recipe at `folder`; without one, there is no progress.
  package init(folder: String) {
    let names = (try? FileSystem.names(in: folder)) ?? []
    stages =
      [Stage("", in: folder)]
      + names.compactMap { name in
        let stage = FileSystem.join(folder, name)
        return FileStatus.isPresent("\(stage)/checkpoints") ? Stage(name, in: stage) : nil
      }
    step = stages.map(\.step).reduce(0, +)
  }

  /// Returns the environment files of the run or of the stages in `folder`: every start writes another
  /// one.
  static func starts(in folder: String) -> Set<FileStatus.Identity> {
    let names = (try? FileSystem.names(in: folder)) ?? []
    return Set(
      (["."] + names).compactMap { FileStatus("\(folder)/\($0)/environment.json")?.identity })
  }

  private static func checkpoints(in folder: String) -> [Checkpoint] {
    let parent = FileSystem.join(folder, "checkpoints")
    let names = (try? FileSystem.names(in: parent)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)) else { return nil }
      let path = "\(parent)/\(name)"
      return Checkpoint(step: step, path: path, identity: FileStatus(path)?.identity)
    }
  }
}

/// The last lines of a metrics.jsonl, read from its end.
enum MetricsTail {
  /// A line of a step, or of an evaluation after it.
  struct Line: Equatable {
    let step: Int
    /// The moment at which it was written, in seconds since 1970.
    let time: Double
    /// The duration of the step; nil for an evaluation.
    var secondsPerStep: Double?
    /// The part of the step in which the exchange was waited for.
    var secondsExposed = 0.0
    /// The duration of an evaluation.
    var evaluationSeconds = 0.0
  }

  /// Returns the last lines of whole steps and evaluations, at most `count`, or those that were
  /// written since `time`.
  static func lines(of path: String, count: Int = .max, since time: Double = 0) -> [Line] {
    guard let file = try? InputFile(path) else { return [] }
    var (end, text, lines) = (file.status.byteCount, [UInt8](), [[Line]]())
    var total = 0
    // Backwards, a part at a time: the file of a long run is large, and its end is wanted.
    while end > 0, total < count {
      let start = max(0, end - 1 << 16)
      guard let part = try? file.contents(at: start, count: end - start) else { return [] }
      text = part + text
      end = start
      // The first line of the part may have begun before it.
      let first = start == 0 ? 0 : (text.firstIndex(of: 0x0A) ?? text.count - 1) + 1
      let found = text[first...].split(separator: 0x0A).compactMap(line)
      text = Array(text[..<first])
      lines.append(found)
      total += found.count
      if let oldest = found.first, oldest.time < time { break }
    }
    return lines.reversed().joined().filter { $0.time >= time }.suffix(count)
  }

  private static func line(_ bytes: ArraySlice<UInt8>) -> Line? {
    // A torn last line is no JSON.
    guard let members = (try? JSONReader.read(Array(bytes)))?.members else { return nil }
    func number(_ key: String) -> Double? { members.first { $0.key == key }?.value.number }
    guard let step = number("step").flatMap({ Int(exactly: $0) }), let time = number("time") else {
      return nil
    }
    return Line(
      step: step, time: time, secondsPerStep: number("secondsPerStep"),
      secondsExposed: number("secondsExposed") ?? 0,
      evaluationSeconds: number("evaluationSeconds") ?? 0)
  }
}
