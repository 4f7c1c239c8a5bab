/// The judgement whether a rank waits in vain, from its own activity and the other ranks' signs of
/// life.
///
/// A frozen process or a lost host gives no sign. A rank that computes gives signs, however long it
/// takes, so the others wait for it; a limit of its own ends it. The ranks that wait have begun the
/// same collective; one that has begun fewer is the one that they wait for.
struct StallDetector {
  /// The judgement.
  enum Finding: Equatable {
    /// These ranks show no sign of life for so many seconds.
    case silent([RankSign], seconds: Double)
    /// All ranks are in one collective, which does not complete for so many seconds.
    case network(seconds: Double)
    /// This rank has not progressed for so many seconds.
    case stuck(seconds: Double)
    /// This rank has waited for a rank that computes for so many seconds; nothing is wrong yet.
    case waiting(RankSign, seconds: Double)
  }

  /// A sign and the moments, in seconds, at which it last changed.
  private struct Observed {
    var sign: RankSign
    var beat: Double
    var progress: Double

    init(_ sign: RankSign, at now: Double) {
      self.sign = sign
      (beat, progress) = (now, now)
    }

    mutating func observe(_ new: RankSign, at now: Double) {
      if new.beat != sign.beat || new.process != sign.process { beat = now }
      if !new.hasProgress(of: sign) { progress = now }
      sign = new
    }
  }

  /// The time without a sign after which a rank counts as silent, in seconds; four times as long
  /// while it saves, when the file system may be slow.
  let limit: Double
  private var own: Observed?
  private var others: [Int: Observed] = [:]
  private var lastLook: Double?
  /// The longest time without progress in each phase so far.
  private var longest: [UInt8: Double] = [:]
  /// The number of steps that have begun.
  private var stepsSeen = 0
  private var nextNotice: Double

  init(limit: Double) {
    self.limit = limit
    nextNotice = 4 * limit
  }

  /// True when this rank has waited long enough for the others' signs to matter.
  func wantsOthers(at now: Double) -> Bool {
    guard let own, own.sign.function != nil else { return false }
    return now - own.progress >= limit / 6
  }

  /// The seconds without progress that end a rank which is not in a collective: generous, because
  /// nothing but time tells a long computation from a stuck one.
  private func limit(of sign: RankSign) -> Double {
    // Before the first step a corpus of any size is read.
    if sign.step == 0 { return .infinity }
    let phase = sign.phase
    return switch RankActivity.Phase(rawValue: phase) {
    case .gradient, .update:
      // The first step tells nothing of the sizes of the later ones.
      stepsSeen < 3 ? 720 * limit : max(120 * limit, 20 * (longest[phase] ?? 0))
    default: 720 * limit
    }
  }

  /// Takes this rank's activity and the signs of the others, and judges; call it every second or so.
  ///
  /// - Parameter now: The time of a monotonic clock, in seconds.
  mutating func observe(_ sign: RankSign, _ signs: [RankSign], at now: Double) -> Finding? {
    // This very process was frozen, and nothing can be said of the time in between.
    if let lastLook, now - lastLook > limit / 3 { forget(at: now) }
    lastLook = now
    if let last = own?.sign, !sign.hasProgress(of: last) {
      let seconds = now - (own?.progress ?? now)
      longest[last.phase] = max(longest[last.phase] ?? 0, seconds)
      if sign.step != last.step { stepsSeen += 1 }
      nextNotice = 4 * limit
    }
    if own == nil { own = Observed(sign, at: now) } else { own?.observe(sign, at: now) }
    guard let own else { return nil }
    let seconds = now - own.progress
    guard sign.function != nil else {
      others = [:]
      return seconds >= limit(of: sign) ? .stuck(seconds: seconds) : nil
    }
    // Signs that are not known now are not old ones.
    let known = Set(signs.map(\.rank))
    others = others.filter { known.contains($0.key) }
    for other in signs where other.rank != sign.rank {
      if others[other.rank] == nil {
        others[other.rank] = Observed(other, at: now)
      } else {
        others[other.rank]?.observe(other, at: now)
      }
    }
    guard wantsOthers(at: now) else {
      others = [:]
      return nil
    }
    return judge(seconds, at: now)
  }

  /// Judges a rank that has waited in a collective for `seconds`.
  private mutating func judge(_ seconds: Double, at now: Double) -> Finding? {
    guard let own, seconds >= limit else { return nil }
    let all = others.values.sorted { $0.sign.rank < $1.sign.rank }
    // The lowest rank that gives signs speaks first; the others only if it does not.
    let isFirst = !all.contains { $0.sign.rank < own.sign.rank && now - $0.beat < limit / 2 }
    let patience = isFirst ? 0 : limit / 6
    let silent = all.filter {
      now - $0.beat >= ($0.sign.isSaving ? 4 : 1) * limit + patience
    }
    if !silent.isEmpty {
      let longest = silent.map { now - $0.beat }.max() ?? 0
      return .silent(silent.map(\.sign), seconds: longest)
    }
    if let behind = all.first(where: { $0.sign.collectives < own.sign.collectives }) {
      guard isFirst, seconds >= nextNotice else { return nil }
      nextNotice = 4 * seconds
      return .waiting(behind.sign, seconds: seconds)
    }
    let isStill = !all.isEmpty && all.allSatisfy { now - $0.progress >= 3 * limit }
    return isStill && seconds >= 4 * limit + patience ? .network(seconds: seconds) : nil
  }

  /// Measures every time anew.
  private mutating func forget(at now: Double) {
    own = own.map { Observed($0.sign, at: now) }
    others = [:]
  }
}
