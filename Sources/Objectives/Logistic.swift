import Glibc

/// The logistic function and its logarithm, in fp64 and without overflow.
enum Logistic {
  /// σ(x) = 1/(1 + exp(−x)).
  static func sigmoid(_ x: Double) -> Double {
    if x >= 0 { return 1 / (1 + exp(-x)) }
    let power = exp(x)
    return power / (1 + power)
  }

  /// log σ(x).
  static func logSigmoid(_ x: Double) -> Double { min(x, 0) - log1p(exp(-abs(x))) }
}
