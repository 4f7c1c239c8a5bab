import Glibc
import Tensors

/// The rotary position embedding (RoPE) of a network, shared by its layers.
///
/// The table is computed at its first use: a network that is built only to list its parameters, or
/// that is refused for its size, never computes one. Not thread-safe; a network is used by one
/// thread.
package final class RotaryPositions {
  private let dim: Int
  private let positions: Int
  private let base: Double
  private let scaling: RotaryScaling

  /// The cosines and sines.
  package private(set) lazy var table = RotaryTable(
    frequencies: scaling.frequencies(dim: dim, base: base), positions: positions,
    magnitude: scaling.magnitude)

  /// A table for heads of size `dim` and up to `positions` positions; see `RotaryTable`.
  package init(dim: Int, positions: Int, base: Double, scaling: RotaryScaling = .none) {
    self.dim = dim
    self.positions = positions
    self.base = base
    self.scaling = scaling
  }
}

/// The scaling of rotary frequencies for a longer context than a model was first trained on, as in
/// `modeling_rope_utils.py` of `transformers`.
package enum RotaryScaling: Sendable, Equatable {
  /// No scaling.
  case none
  /// All frequencies divided by one factor (position interpolation, Chen and others 2023).
  case linear(factor: Double)
  /// Low frequencies divided by a factor, high ones unchanged, interpolated between (Llama 3.1).
  ///
  /// - `low`, `high`: Turns within `original` positions below which a frequency is low, and above
  ///   which it is high.
  case llama3(factor: Double, low: Double, high: Double, original: Int)
  /// YaRN (Peng and others 2023): frequencies scaled by their number of turns, and cosines and
  /// sines multiplied by `magnitude`.
  ///
  /// - `fast`, `slow`: Turns within `original` positions at which the ramp ends and begins.
  case yarn(
    factor: Double, fast: Double, slow: Double, original: Int, magnitude: Double, truncates: Bool)

  /// The factor of cosines and sines.
  var magnitude: Float {
    if case .yarn(_, _, _, _, let magnitude, _) = self { Float(magnitude) } else { 1 }
  }

  /// Returns the frequency of every pair of elements of a head, in radians per position.
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
      // The (fractional) index of the pair that makes this many turns within `original` positions.
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
