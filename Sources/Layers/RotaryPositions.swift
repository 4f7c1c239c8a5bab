import Tensors

/// Rotary positions of a network, shared by its layers.
///
/// The table is computed at the first use: a network that is only built to learn its parameters'
/// names, or to be refused for its size, never makes one. Used by one thread, as its network is.
public final class RotaryPositions {
  private let dim: Int
  private let positions: Int
  private let base: Double

  /// The cosines and sines.
  public private(set) lazy var table = RotaryTable(dim: dim, positions: positions, base: base)

  /// Positions for heads of size `dim`, up to `positions` of them; see `RotaryTable`.
  public init(dim: Int, positions: Int, base: Double) {
    self.dim = dim
    self.positions = positions
    self.base = base
  }
}
