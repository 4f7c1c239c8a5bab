import Checkpoints
import Evaluation
import Files
import Foundation
import Training

/// The verdict whether a reward model is fit for reinforcement learning, with the reasons:
/// `verdict.json` in its run folder.
package struct RewardVerdict: Codable, Sendable, Equatable {
  /// True when the model is fit for reinforcement learning.
  package let isFit: Bool
  /// The reasons why it is unfit, a sentence each.
  package let objections: [String]
  /// The quality on held-out pairs; nil without any.
  package let quality: RewardQuality?
  /// SHA-256 of the evaluated weights.
  package let weights: String?

  static let fileName = "verdict.json"

  /// The verdict on a model of this quality.
  package init(_ quality: RewardQuality?, weights: String?) {
    self.quality = quality
    self.weights = weights
    objections =
      quality?.objections
      ?? ["no pairs were held out to evaluate it: set data.validation to a fraction or files"]
    isFit = objections.isEmpty
  }

  /// The verdict as a sentence.
  package var sentence: String {
    isFit
      ? "verdict: fit for reinforcement learning"
      : "verdict: unfit for reinforcement learning: \(objections.joined(separator: "; "))"
  }

  /// Writes the verdict into `folder`, and replaces an earlier one.
  func write(to folder: RunFolder) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try folder.write(Array(try encoder.encode(self)) + [0x0A], as: RewardVerdict.fileName)
  }

  /// Returns the verdict on the model in `folder`; nil when there is none on these weights.
  package static func read(of folder: ModelFolder) throws -> RewardVerdict? {
    // RUN/checkpoints/step-…
    let run = URL(fileURLWithPath: folder.path).standardized
      .deletingLastPathComponent().deletingLastPathComponent()
    let file = run.appendingPathComponent(RewardVerdict.fileName).path
    guard let bytes = try? InputFile.contents(of: file),
      let verdict = try? JSONDecoder().decode(RewardVerdict.self, from: Data(bytes)),
      verdict.weights == (try folder.weightsDigest())
    else { return nil }
    return verdict
  }
}
