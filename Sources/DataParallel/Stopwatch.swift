/// Seconds between two looks at a steady clock.
public struct Stopwatch {
  private var last = ContinuousClock.now

  /// Starts now.
  public init() {}

  /// Seconds since the last lap.
  public mutating func lap() -> Double {
    let now = ContinuousClock.now
    defer { last = now }
    return (now - last) / .seconds(1)
  }
}

/// A number of seconds that one thread adds to and another reads afterwards.
final class Seconds: @unchecked Sendable {
  // Sendable: the pool's wait orders the write before the read.
  var value = 0.0
}
