/// A stopwatch on a monotonic clock.
package struct Stopwatch {
  private var last = ContinuousClock.now

  /// Starts the first lap.
  package init() {}

  /// Returns the seconds since the start or the previous lap, and starts the next lap.
  package mutating func lap() -> Double {
    let now = ContinuousClock.now
    defer { last = now }
    return (now - last) / .seconds(1)
  }
}

/// A number of seconds that one thread accumulates and another thread reads afterwards.
final class Seconds: @unchecked Sendable {
  // Sendable: the pool's wait orders the write before the read.
  var value = 0.0
}
