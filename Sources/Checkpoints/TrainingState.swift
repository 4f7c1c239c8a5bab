import Files
import Foundation

/// The state of a run beside weights and optimizer state: `state.json` of a checkpoint.
///
/// Random numbers and data order are functions of the seed and the step and need no state.
package struct TrainingState: Codable, Sendable, Equatable {
  /// The best evaluation so far.
  package struct Best: Codable, Sendable, Equatable {
    /// The step after which it was measured.
    package var step: Int
    package var loss: Double

    package init(step: Int, loss: Double) {
      self.step = step
      self.loss = loss
    }
  }

  /// Version of the format.
  package var version = TrainingState.supportedVersion
  /// Number of completed steps.
  package var step = 0
  /// Number of tokens trained on.
  package var tokensSeen = 0
  /// The best evaluation so far; nil before the first.
  package var best: Best?
  /// Evaluations since the best one; nil, as 0, in checkpoints of earlier releases.
  package var evaluationsSinceBest: Int?
  /// True when the run stopped during the evaluation of this step; nil as false.
  package var owesEvaluation: Bool?
  /// The losses of the divergence guard's window, oldest first.
  package var recentLosses: [Double] = []
  /// The lowest mean of the divergence guard's window; nil before it is full, and in checkpoints of
  /// earlier releases.
  package var lowestLoss: Double?
  /// The steps in a row up to this one whose loss was that of a model that has forgotten what it knew;
  /// nil as 0.
  package var forgottenSteps: Int?
  /// The trained steps with which a loss spike is compared; nil unless `guard.onSpike` is `skip`.
  package var spikeWindow: SpikeWindow?
  /// The steps up to this one that the run skipped, ascending; nil for none.
  package var skipped: [SkippedSteps]?
  /// The step of the checkpoint of another run with which this one began; nil as 0.
  package var firstStep: Int?
  /// Values that the phase carries from step to step, by name.
  package var variables: [String: Double] = [:]
  /// The settings that decide the bits of the weights, by name; compared when a run resumes.
  package var settings: [String: String]

  /// The state before the first step.
  package init(settings: [String: String]) {
    self.settings = settings
  }

  /// The version that this program writes and reads.
  package static let supportedVersion = 2

  static let fileName = "state.json"

  /// Returns the bytes of `state.json`; equal states give equal bytes.
  package func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return Array(try encoder.encode(self)) + [0x0A]
  }

  /// Returns true when `folder` holds a training state, of any checkpoint.
  static func isIn(_ folder: String) -> Bool {
    guard let bytes = try? InputFile.contents(of: "\(folder)/\(fileName)") else { return false }
    return (try? JSONDecoder().decode(TrainingState.self, from: Data(bytes))) != nil
  }

  /// Reads the state in `checkpoint`.
  package init(from checkpoint: Checkpoint) throws {
    let path = try checkpoint.path(of: TrainingState.fileName)
    guard let data = (try? InputFile.contents(of: path)).map({ Data($0) }),
      let format = try? JSONDecoder().decode(Format.self, from: data)
    else { throw CheckpointError.damaged(path: path, reason: "it is not a training state") }
    guard format.version == TrainingState.supportedVersion else {
      throw CheckpointError.unknownVersion(
        path: path, found: format.version, supported: TrainingState.supportedVersion)
    }
    guard let state = try? JSONDecoder().decode(TrainingState.self, from: data) else {
      throw CheckpointError.damaged(path: path, reason: "it is not a training state")
    }
    guard state.step == checkpoint.step else {
      throw CheckpointError.damaged(
        path: path,
        reason: "its step is \(state.step), and that of the checkpoint \(checkpoint.step)")
    }
    guard (0...Self.largestCount).contains(state.tokensSeen) else {
      throw CheckpointError.damaged(
        path: path, reason: "tokensSeen is \(state.tokensSeen), which no run reaches")
    }
    if let best = state.best, !(0...state.step).contains(best.step) {
      throw CheckpointError.damaged(
        path: path, reason: "its best evaluation is of step \(best.step), not of 0 to \(state.step)"
      )
    }
    guard SkippedSteps.areSound(state.skipped ?? [], at: state.step),
      0...state.step ~= state.firstStep ?? 0
    else {
      throw CheckpointError.damaged(
        path: path, reason: "its skipped steps are not those of a run at step \(state.step)")
    }
    self = state
  }

  /// More tokens than any run sees, and few enough to add to.
  private static let largestCount = 1 << 60

  /// The one field of every version.
  private struct Format: Decodable {
    let version: Int
  }
}
