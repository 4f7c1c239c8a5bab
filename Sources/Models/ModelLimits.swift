/// Largest sizes of a model, well above any published one's: for what the user types and for what a
/// `config.json` says.
///
/// They also keep products of two sizes, and sums of them over the layers, within 64 bits.
public enum ModelLimits {
  /// Token ids.
  public static let vocabulary = 1 << 22
  /// Positions.
  public static let context = 1 << 20
  /// Blocks.
  public static let layers = 1 << 10
  /// Residual width.
  public static let width = 1 << 17
  /// Feed-forward width.
  public static let hidden = 1 << 20
}
