import Foundation

/// What a run must remember beside weights and optimizer state: `state.json` of a checkpoint.
///
/// Random numbers and data order are functions of the seed and the step, so there is no more.
public struct TrainingState: Codable, Sendable, Equatable {
  /// The best evaluation so far.
  public struct Best: Codable, Sendable, Equatable {
    /// The step after which it was measured.
    public var step: Int
    /// Its loss.
    public var loss: Double

    /// An evaluation.
    public init(step: Int, loss: Double) {
      self.step = step
      self.loss = loss
    }
  }

  /// Version of the format.
  public var version = 1
  /// Steps done.
  public var step = 0
  /// Tokens trained on.
  public var tokensSeen = 0
  /// The best evaluation so far, if there was one.
  public var best: Best?
  /// The losses the divergence guard looks back on, oldest first.
  public var recentLosses: [Double] = []
  /// Numbers that a phase moves on from step to step, by name; nil where it has none.
  public var memory: [String: Double]?
  /// The settings that decide the bits of the weights, by name; a resumed run compares them.
  public var terms: [String: String]

  /// The state before the first step.
  public init(terms: [String: String]) {
    self.terms = terms
  }

  /// Keeps `value` as `name` in `memory`.
  public mutating func remember(_ value: Double, as name: String) {
    var kept = memory ?? [:]
    kept[name] = value
    memory = kept
  }

  static let fileName = "state.json"

  /// The bytes of `state.json`, the same for the same state.
  public func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return Array(try encoder.encode(self)) + [0x0A]
  }

  /// The state in `checkpoint`.
  public init(from checkpoint: Checkpoint) throws {
    let path = try checkpoint.path(of: TrainingState.fileName)
    guard let data = FileManager.default.contents(atPath: path),
      let state = try? JSONDecoder().decode(TrainingState.self, from: data)
    else { throw CheckpointError.damaged(path: path, reason: "it is not a training state") }
    guard state.version == 1 else {
      throw CheckpointError.unknownVersion(path: path, found: state.version, supported: 1)
    }
    self = state
  }
}
