import Files
import Foundation
import Monitoring

/// An attempt of a run and the use of its time: a line of RUN/launch.jsonl.
package struct AttemptRecord: Codable, Equatable, Sendable {
  /// The number of the attempt, from 1.
  package var attempt: Int
  /// The start and the end, in seconds since 1970.
  package var start: Double
  package var end: Double
  /// The hosts with their ranks, as in `node-a:2`.
  package var hosts: [String]
  /// The exit code of `mpirun`.
  package var exitCode: Int32
  /// The end of the sentence that says why it ended; empty when the run is done.
  package var reason = ""
  /// The host that failed.
  package var failedHost: String?
  /// The stage of a recipe that took the last step.
  package var stage: String?
  /// The first and the last step of the run, or of ``stage``.
  package var firstStep: Int?
  package var lastStep: Int?
  package var seconds = Seconds()

  /// The use of the time from the end of the attempt before to the end of this one, in seconds.
  package struct Seconds: Codable, Equatable, Sendable {
    /// Steps that the run keeps, and the evaluations after them.
    package var useful = 0.0
    /// The part of ``useful`` in which ranks waited for the exchange, and so for slower ranks.
    package var waiting = 0.0
    /// The cool-down before the start.
    package var cooldown = 0.0
    /// From the start to the first step.
    package var restart = 0.0
    /// Steps after the newest checkpoint, and the time until the failure was noticed.
    package var lost = 0.0
    /// Checkpoints, and everything that no line of the metrics explains.
    package var other = 0.0

    package init() {}

    var wall: Double { useful + cooldown + restart + lost + other }

    static func + (left: Seconds, right: Seconds) -> Seconds {
      var sum = left
      sum.useful += right.useful
      sum.waiting += right.waiting
      sum.cooldown += right.cooldown
      sum.restart += right.restart
      sum.lost += right.lost
      sum.other += right.other
      return sum
    }
  }

  /// The steps that an attempt took in the run or in a stage of a recipe.
  struct Work {
    /// The stage; nil for the run itself.
    var stage: String?
    /// The lines of the metrics that it wrote.
    var lines: [MetricsTail.Line]
    /// The step from which the next attempt resumes; nil when nothing is lost.
    var kept: Int?

    fileprivate var steps: [MetricsTail.Line] { lines.filter { $0.secondsPerStep != nil } }
  }

  /// Divides the time of the attempt by the lines of its steps.
  ///
  /// - Parameters:
  ///   - work: The run, or the stages in any order.
  ///   - cooldown: The seconds waited before the start.
  mutating func divideTime(_ work: [Work], cooldown: Double) {
    seconds = Seconds()
    seconds.cooldown = cooldown
    let wall = end - start
    let work = work.filter { !$0.steps.isEmpty }.sorted { $0.steps[0].time < $1.steps[0].time }
    guard let first = work.first?.steps.first, let last = work.last else {
      seconds.restart = wall
      return
    }
    (stage, firstStep, lastStep) = (last.stage, last.steps.first?.step, last.steps.last?.step)
    seconds.restart = min(wall, max(0, first.time - (first.secondsPerStep ?? 0) - start))
    for part in work {
      for line in part.lines {
        let duration = (line.secondsPerStep ?? 0) + line.evaluationSeconds
        if line.step <= part.kept ?? .max {
          seconds.useful += duration
          seconds.waiting += line.secondsExposed
        } else {
          seconds.lost += duration
        }
      }
    }
    let silent = max(0, end - (last.lines.last?.time ?? end))
    if last.kept != nil { seconds.lost += silent }
    seconds.other = max(0, wall - seconds.restart - seconds.useful - seconds.lost)
  }
}

/// The attempts of a launch, and what they say together.
package struct LaunchReport: Sendable {
  package private(set) var attempts: [AttemptRecord] = []

  package init() {}

  mutating func append(_ record: AttemptRecord) { attempts.append(record) }

  /// The useful time over the wall time, and the causes of the rest, as a sentence.
  package var summary: String {
    let sum = attempts.map(\.seconds).reduce(AttemptRecord.Seconds(), +)
    func part(_ seconds: Double) -> String {
      let percent = sum.wall > 0 ? Int((100 * seconds / sum.wall).rounded()) : 0
      return "\(Self.text(seconds)) (\(percent) %)"
    }
    let causes = [
      ("start", sum.restart), ("lost work", sum.lost), ("cool-down", sum.cooldown),
      ("checkpoints and other", sum.other),
    ].filter { $0.1 >= 0.05 }.map { "\($0.0) \(part($0.1))" }
    return "\(attempts.count) \(attempts.count == 1 ? "attempt" : "attempts"), "
      + "\(Self.text(sum.wall)): useful \(part(sum.useful))"
      + (sum.waiting >= 0.05 ? ", of it waiting for other ranks \(part(sum.waiting))" : "")
      + causes.map { ", " + $0 }.joined() + "."
  }

  /// A line for each attempt.
  package var lines: [String] {
    attempts.map { attempt in
      let steps =
        attempt.lastStep.map { "steps \(attempt.firstStep ?? $0)–\($0)" }
        .map { (attempt.stage.map { "\($0) " } ?? "") + $0 } ?? "no step"
      let moment = Date(timeIntervalSince1970: attempt.start).formatted(.iso8601)
      return "attempt \(attempt.attempt), \(moment), "
        + "\(Self.text(attempt.end - attempt.start)), \(attempt.hosts.joined(separator: " ")), "
        + "\(steps), exit code \(attempt.exitCode)"
        + (attempt.reason.isEmpty ? "" : ": \(attempt.reason)")
    }
  }

  /// Writes seconds as 3.2 s, or from a minute on as 1:02.
  static func text(_ seconds: Double) -> String {
    seconds < 60 ? "\((seconds * 10).rounded() / 10) s" : Durations.text(seconds)
  }
}
