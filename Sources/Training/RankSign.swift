import Foundation

/// A sign of life of a rank: a small file in the run folder that it writes anew every few seconds.
struct RankSign: Codable, Equatable, Sendable {
  let rank: Int
  let host: String
  /// The process id.
  let process: Int32
  /// A number that grows from sign to sign, even when the rank only waits.
  let beat: Int
  /// The raw value of its `RankActivity.Phase`.
  let phase: UInt8
  /// The step that it works on, from 1.
  let step: Int
  /// The pieces of work done.
  let ticks: Int
  /// The collective calls begun.
  let collectives: Int
  /// The collective call that it is in; nil for none.
  let function: String?
  /// True while a checkpoint is being written or published.
  let isSaving: Bool

  /// The place of the work in a sentence, such as "the evaluation of step 7".
  var place: String {
    let phase = RankActivity.Phase(rawValue: phase)?.words ?? "the work"
    return step == 0 ? "the time before its first step" : "\(phase) of step \(step)"
  }

  /// The rank and its host in a sentence.
  var name: String { "rank \(rank) on \(host)" }

  /// True when `other`, an earlier or later sign of the same rank, shows the same progress.
  func hasProgress(of other: RankSign) -> Bool {
    (ticks, collectives, function, phase, step)
      == (other.ticks, other.collectives, other.function, other.phase, other.step)
  }

  /// The file of a rank's sign in `folder`.
  static func path(rank: Int, in folder: String) -> String { "\(folder)/rank-\(rank).json" }

  /// The sign in a file of any contents; nil when it has none.
  init?(_ bytes: [UInt8]) {
    guard let sign = try? JSONDecoder().decode(RankSign.self, from: Data(bytes)) else { return nil }
    self = sign
  }

  init(
    rank: Int, host: String, process: Int32, beat: Int, phase: UInt8, step: Int, ticks: Int,
    collectives: Int, function: String?, isSaving: Bool = false
  ) {
    self.rank = rank
    self.host = host
    self.process = process
    self.beat = beat
    self.phase = phase
    self.step = step
    self.ticks = ticks
    self.collectives = collectives
    self.function = function
    self.isSaving = isSaving
  }

  /// The contents of its file, padded to a fixed size so that a shorter sign replaces a longer one.
  var bytes: [UInt8] {
    let json = (try? JSONEncoder().encode(self)).map(Array.init) ?? []
    return json + [UInt8](repeating: 0x20, count: max(0, 511 - json.count)) + [0x0A]
  }
}
