/// The configuration of a decoder with grouped-query attention and rotary positions.
package protocol GroupedQueryConfiguration: ModelConfiguration {
  /// Query heads per block.
  var heads: Int { get }
  /// Key and value heads per block; divides `heads`.
  var keyHeads: Int { get }
  /// Size of a query, key or value head; even.
  var headSize: Int { get }
}

extension GroupedQueryConfiguration {
  /// Key heads × head size.
  package var keyWidth: Int { headSize * keyHeads }

  package func check() throws(ModelError) {
    guard headSize % 2 == 0 else {
      throw .inconsistent(
        "Rotary positions need heads of an even size, and head_dim is \(headSize): choose an even "
          + "size.")
    }
    guard heads % keyHeads == 0 else {
      throw .inconsistent(
        "model.heads \(heads) is not a multiple of model.kvHeads \(keyHeads), and every key head "
          + "serves the same number of query heads: choose a multiple.")
    }
  }

  /// Returns the size of a new model's heads, which divide the residual stream.
  static func headSize(width: Int, heads: Int) throws(ModelError) -> Int {
    guard width % (2 * heads) == 0 else {
      throw .inconsistent(
        "model.width \(width) is not a multiple of 2 × model.heads (\(heads)), and rotary "
          + "positions need heads of an even size: choose a multiple of \(2 * heads).")
    }
    return width / heads
  }
}
