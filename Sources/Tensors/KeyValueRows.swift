/// The keys and values of the positions a group of sequences has passed, for one attention layer.
///
/// Memory for `capacity` positions is taken at once; sequence b's rows start at b·capacity. No
/// derivative flows through it.
public final class KeyValueRows {
  /// Positions held so far, the same for every sequence.
  public private(set) var length = 0
  /// Positions there is room for.
  public let capacity: Int
  let sequences: Int
  let width: Int
  let keys: Tensor
  let values: Tensor

  /// Room for `capacity` positions of `width` elements (key heads × head size) per sequence.
  public init(sequences: Int, capacity: Int, width: Int, in workspace: Workspace) {
    self.sequences = sequences
    self.capacity = capacity
    self.width = width
    let type = Tensor.operandType(in: workspace)
    keys = Tensor(uninitialized: [sequences, capacity, width], type: type, in: workspace)
    values = Tensor(uninitialized: [sequences, capacity, width], type: type, in: workspace)
  }

  /// Appends the same number of new positions to every sequence.
  ///
  /// - Parameters:
  ///   - keys: [sequences·new, width].
  ///   - values: [sequences·new, width].
  public func append(keys newKeys: Tensor, values newValues: Tensor) {
    let new = newKeys.rows / max(sequences, 1)
    precondition(
      newKeys.columns == width && newValues.shape == newKeys.shape && length + new <= capacity
        && newKeys.type == keys.type && newValues.type == keys.type,
      "\(new) more positions of \(newKeys.shape) after \(length) of \(capacity)")
    for sequence in 0..<sequences {
      let destination = (sequence * capacity + length) * width * keys.type.stride
      let source = sequence * new * width * keys.type.stride
      let bytes = new * width * keys.type.stride
      (keys.base + destination).copyMemory(from: newKeys.base + source, byteCount: bytes)
      (values.base + destination).copyMemory(from: newValues.base + source, byteCount: bytes)
    }
    length += new
  }
}

extension Tensor {
  /// Causal attention of new queries [B·T, H·D] over everything `cache` holds, in which they are
  /// the last T positions.
  public func causalAttention(over cache: KeyValueRows, heads: Int, keyHeads: Int) -> Tensor {
    precondition(
      rows % cache.sequences == 0 && columns % heads == 0 && heads % keyHeads == 0
        && cache.width == columns / heads * keyHeads,
      "attention of \(shape) over \(cache.sequences) sequences of width \(cache.width)")
    let attention = AttentionShape(
      sequences: cache.sequences, queries: rows / cache.sequences, keys: cache.length,
      heads: heads, keyHeads: keyHeads, dim: columns / heads)
    let y = Tensor(uninitialized: [rows, columns], type: type, in: workspace)
    let cached = { (tensor: Tensor) in
      HeadRows(
        base: tensor.base, type: tensor.type, pitch: cache.width,
        sequencePitch: cache.capacity * cache.width)
    }
    workspace.withScratch(cache.sequences * heads * attention.queries) { logSums in
      attention.forward(
        q: headRows(cache.sequences), k: cached(cache.keys), v: cached(cache.values),
        out: y.headRows(cache.sequences), logSums: logSums, dropout: nil, in: workspace)
    }
    return y
  }
}
