/// The largest accepted sizes of a model, well above any published one, for the user's settings and
/// for a `config.json`.
///
/// They also keep products of two sizes, and sums of them over the layers, within 64 bits.
package enum ModelLimits {
  /// Token ids.
  package static let vocabulary = 1 << 22
  /// Positions.
  package static let context = 1 << 20
  /// Blocks.
  package static let layers = 1 << 10
  /// Residual width.
  package static let width = 1 << 17
  /// Feed-forward width.
  package static let hidden = 1 << 20
}
