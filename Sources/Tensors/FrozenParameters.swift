/// Parameters that no gradient flows to, shared by all workers of a process.
///
/// Their tensors have no derivative, so that the tape keeps nothing for them and no product is
/// computed for their sake.
public final class FrozenParameters: Sendable {
  /// Names and places.
  public let layout: ParameterLayout
  /// The values; they stay as they are.
  public let values: FlatBuffer
  /// What products read.
  public let precision: Precision
  /// The same in bf16, when products read that.
  let halves: HalfBuffer?

  /// - Parameters:
  ///   - layout: Names and places.
  ///   - values: The values, filled.
  ///   - precision: What products will read.
  public init(layout: ParameterLayout, values: FlatBuffer, precision: Precision) {
    precondition(
      values.elements.count == layout.count,
      "a buffer of \(values.elements.count) for a layout of \(layout.count)")
    self.layout = layout
    self.values = values
    self.precision = precision
    halves = precision == .bf16 ? HalfBuffer(count: layout.count) : nil
    halves?.round(values, 0..<layout.count)
  }
}
