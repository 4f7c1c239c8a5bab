import Checkpoints
import Evaluation
import Foundation

/// Whether a reward model may teach another, with the reasons: `verdict.json` of its run folder.
public struct RewardVerdict: Codable, Sendable, Equatable {
  /// Whether it is fit for reinforcement learning.
  public let isFit: Bool
  /// Why not, a sentence each.
  public let objections: [String]
  /// The figures on held-out pairs; nil where none were held out.
  public let quality: RewardQuality?
  /// SHA-256 of the weights that were judged.
  public let weights: String?

  static let fileName = "verdict.json"

  /// Judges a model by its quality.
  ///
  /// - Parameter weights: SHA-256 of its weights.
  public init(_ quality: RewardQuality?, weights: String?) {
    self.quality = quality
    self.weights = weights
    objections =
      quality?.objections
      ?? ["no pairs were held out to judge it by: give data.validation a share or files"]
    isFit = objections.isEmpty
  }

  /// The same as a sentence for people.
  public var sentence: String {
    isFit
      ? "verdict: fit for reinforcement learning"
      : "verdict: unfit for reinforcement learning: \(objections.joined(separator: "; "))"
  }

  /// SHA-256 of the weights in a checkpoint's folder.
  static func digest(ofCheckpoint path: String) throws -> String {
    try ModelFolder(path: path).weightsDigest()
  }

  /// Writes it into `folder`, in place of an earlier one.
  func write(to folder: RunFolder) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try folder.write(Array(try encoder.encode(self)) + [0x0A], as: RewardVerdict.fileName)
  }

  /// The verdict on the model in `folder`, or nil where nobody judged these weights.
  public static func read(of folder: ModelFolder) throws -> RewardVerdict? {
    // RUN/checkpoints/step-…
    let run = URL(fileURLWithPath: folder.path).standardized
      .deletingLastPathComponent().deletingLastPathComponent()
    let file = run.appendingPathComponent(RewardVerdict.fileName).path
    guard let data = FileManager.default.contents(atPath: file),
      let verdict = try? JSONDecoder().decode(RewardVerdict.self, from: data),
      verdict.weights == (try folder.weightsDigest())
    else { return nil }
    return verdict
  }
}
