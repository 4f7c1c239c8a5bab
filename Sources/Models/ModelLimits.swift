/// Largest sizes that are believed of a `config.json`, well above any published model's.
///
/// They also keep products of two sizes, and sums of them over the layers, within 64 bits.
enum ModelLimits {
  static let vocabulary = 1 << 22
  static let context = 1 << 20
  static let layers = 1 << 10
  static let width = 1 << 17
  static let hidden = 1 << 20
}
