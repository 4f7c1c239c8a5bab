import Glibc
import Tensors

/// Rotary positions of a network, shared by its layers.
///
/// The table is computed at the first use: a network that is only built to learn its parameters'
/// names, or to be refused for its size, never makes one. Used by one thread, as its network is.
public final class RotaryPositions {
  private let dim: Int
  private let positions: Int
  private let base: Double
  private let scaling: RotaryScaling

  /// The cosines and sines.
  public private(set) lazy var table = RotaryTable(
    frequencies: scaling.frequencies(dim: dim, base: base), positions: positions,
    magnitude: scaling.magnitude)

  /// Positions for heads of size `dim`, up to `positions` of them; see `RotaryTable`.
  public init(dim: Int, positions: Int, base: Double, scaling: RotaryScaling = .none) {
    self.dim = dim
    self.positions = positions
    self.base = base
    self.scaling = scaling
  }
}

/// How rotary frequencies are slowed down for a longer context than a model was first trained on; as
/// in `transformers`' `modeling_rope_utils.py`.
public enum RotaryScaling: Sendable, Equatable {
  /// As they are.
  case none
  /// All by one factor (Chen and others 2023).
  case linear(factor: Double)
  /// The slow ones by a factor, the fast ones not, smooth between (Llama 3.1).
  ///
  /// - `low`, `high`: Turns within `original` positions below which a frequency is slow, and above
  ///   which it is fast.
  case llama3(factor: Double, low: Double, high: Double, original: Int)
  /// Slow and fast by the number of turns, and larger cosines (Peng and others 2023).
  ///
  /// - `fast`, `slow`: Turns within `original` positions at which the ramp ends and begins.
  case yarn(
    factor: Double, fast: Double, slow: Double, original: Int, magnitude: Double, truncates: Bool)

  /// Factor of cosines and sines.
  var magnitude: Float {
    if case .yarn(_, _, _, _, let magnitude, _) = self { Float(magnitude) } else { 1 }
  }

  /// Radians a position of every pair of elements of a head.
  func frequencies(dim: Int, base: Double) -> [Float] {
    let plain = RotaryTable.frequencies(dim: dim, base: base)
    switch self {
    case .none: return plain
    case .linear(let factor): return plain.map { $0 / Float(factor) }
    case .llama3(let factor, let low, let high, let original):
      let original = Double(original)
      return plain.map { frequency in
        let wavelength = 2 * Double.pi / Double(frequency)
        if wavelength < original / high { return frequency }
        if wavelength > original / low { return Float(Double(frequency) / factor) }
        let smooth = (original / wavelength - low) / (high - low)
        return Float((1 - smooth) * Double(frequency) / factor + smooth * Double(frequency))
      }
    case .yarn(let factor, let fast, let slow, let original, _, let truncates):
      // The pair that makes so many turns.
      let pair = { (turns: Double) in
        Double(dim) * log(Double(original) / (turns * 2 * .pi)) / (2 * log(base))
      }
      var (first, last) = (pair(fast), pair(slow))
      if truncates { (first, last) = (first.rounded(.down), last.rounded(.up)) }
      first = max(first, 0)
      last = min(last, Double(dim - 1))
      if first == last { last += 0.001 }
      return plain.enumerated().map { index, frequency in
        let slowed = min(1, max(0, (Double(index) - first) / (last - first)))
        return Float(Double(frequency) / factor * slowed + Double(frequency) * (1 - slowed))
      }
    }
  }
}
