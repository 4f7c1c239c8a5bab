import Files

/// Finds the rank that computes much slower than the others, from compute times without waiting.
///
/// All ranks wait for the slowest in every step. Speeds are FLOPs over compute seconds, so that a
/// rank with fewer micro-batches is not taken for a fast one.
struct StragglerDetector {
  /// A slow rank.
  struct Straggler: Equatable {
    let rank: Int
    /// Its speed ÷ the median speed of the ranks.
    let ratio: Double
    /// The number of steps that were measured.
    let steps: Int

    /// The warning, as the part of a sentence.
    func sentence(host: String) -> String {
      "rank \(rank) on \(host) computes at \((100 * ratio).decimals(0)) % of the median speed of the "
        + "ranks, over \(steps) steps, and the others wait for it: look for other work, a lower clock "
        + "or shared cores on that host"
    }
  }

  /// The speed, relative to the median, below which a rank is reported.
  private static let threshold = 0.65
  /// The number of steps of the next measurement; it grows while a rank stays slow.
  private var window = Self.firstWindow
  private static let firstWindow = 20
  private var steps = 0
  private var flops: [Double] = []
  private var seconds: [Double] = []

  /// Takes the words of a step; returns the slowest rank at the end of a measurement in which it was
  /// a straggler.
  mutating func observe(_ words: [ControlWord]) -> Straggler? {
    if flops.count != words.count {
      (flops, seconds) = (words.map { _ in 0 }, words.map { _ in 0 })
    }
    for (rank, word) in words.enumerated() {
      flops[rank] += Double(word.flops)
      seconds[rank] += Double(word.computeMicroseconds) / 1e6
    }
    steps += 1
    guard steps == window else { return nil }
    defer { (flops, seconds, steps) = ([], [], 0) }
    let speeds = zip(flops, seconds).enumerated()
      .compactMap { rank, work in
        work.0 > 0 && work.1 > 0 ? (rank: rank, speed: work.0 / work.1) : nil
      }
      .sorted { $0.speed < $1.speed }
    guard speeds.count > 1, let slowest = speeds.first else { return nil }
    // The upper median: of two ranks, the slower one is compared with the faster one.
    let median = speeds[speeds.count / 2].speed
    guard slowest.speed < Self.threshold * median else {
      window = Self.firstWindow
      return nil
    }
    window = min(5 * window, 2500)
    return Straggler(rank: slowest.rank, ratio: slowest.speed / median, steps: steps)
  }
}
