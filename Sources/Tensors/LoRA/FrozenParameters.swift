/// Parameters that no gradient flows to, shared by all workers of a process.
///
/// Their tensors have no gradient, so the tape saves no tensors for them and the backward pass
/// computes no products for them.
package final class FrozenParameters: Sendable {
  package let layout: ParameterLayout
  /// The values, which never change.
  package let values: FlatBuffer
  /// The operand precision of the products.
  package let precision: Precision
  /// The values in bf16; nil when products read fp32.
  let bf16Copy: BF16Buffer?

  /// - Parameters:
  ///   - layout: The layout of `values`.
  ///   - values: The initialized values.
  ///   - precision: The operand precision of the products.
  package init(layout: ParameterLayout, values: FlatBuffer, precision: Precision) {
    precondition(
      values.elements.count == layout.count,
      "a buffer of \(values.elements.count) for a layout of \(layout.count)")
    self.layout = layout
    self.values = values
    self.precision = precision
    bf16Copy = precision == .bf16 ? BF16Buffer(count: layout.count) : nil
    bf16Copy?.round(values, 0..<layout.count)
  }
}
