import CKernels

/// The keys and values of the positions a group of sequences has passed, for one attention layer.
///
/// Memory for `capacity` positions is taken at once; sequence b's rows start at b·capacity. No
/// derivative flows through it.
public final class KeyValueRows {
  /// Positions that each sequence holds so far.
  public private(set) var lengths: [Int]
  /// Positions there is room for, in each sequence.
  public let capacity: Int
  let width: Int
  let keys: Tensor
  let values: Tensor

  /// Room for `capacity` positions of `width` elements (key heads × head size) per sequence.
  public init(sequences: Int, capacity: Int, width: Int, in workspace: Workspace) {
    lengths = Array(repeating: 0, count: sequences)
    self.capacity = capacity
    self.width = width
    let type = Tensor.operandType(in: workspace)
    keys = Tensor(uninitialized: [sequences, capacity, width], type: type, in: workspace)
    values = Tensor(uninitialized: [sequences, capacity, width], type: type, in: workspace)
  }

  /// Positions that the longest sequence holds.
  public var length: Int { lengths.reduce(0, max) }

  var sequences: Int { lengths.count }

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
      let destination = (sequence * capacity + lengths[sequence]) * width * keys.type.stride
      let source = sequence * new * width * keys.type.stride
      let bytes = new * width * keys.type.stride
      (keys.base + destination).copyMemory(from: newKeys.base + source, byteCount: bytes)
      (values.base + destination).copyMemory(from: newValues.base + source, byteCount: bytes)
    }
    for sequence in lengths.indices { lengths[sequence] += new }
  }

  /// The same positions for `sequences` sequences, where this holds one: what a prompt leaves behind
  /// for all its continuations.
  public func repeated(_ sequences: Int) -> KeyValueRows {
    precondition(self.sequences == 1, "\(self.sequences) sequences cannot be repeated")
    let copy = KeyValueRows(
      sequences: sequences, capacity: capacity, width: width, in: keys.workspace)
    copy.fill(0..<sequences, from: self)
    return copy
  }

  /// Gives each of `places` the positions of the one sequence of `other`.
  public func fill(_ places: Range<Int>, from other: KeyValueRows) {
    precondition(
      other.sequences == 1 && other.width == width && other.length <= capacity
        && places.lowerBound >= 0 && places.upperBound <= sequences,
      "\(other.sequences) sequences of \(other.length)×\(other.width) for places \(places) of "
        + "\(sequences) of \(capacity)×\(width)")
    for place in places { copy(from: other, 0, to: place) }
  }

  /// Forgets the sequence at `place`, which the last one takes.
  public func remove(_ place: Int) {
    if place != sequences - 1 { copy(from: self, sequences - 1, to: place) }
    lengths.removeLast()
  }

  /// Keeps the sequences at `places`, in ascending order, and forgets the others.
  public func keep(_ places: [Int]) {
    for (new, old) in places.enumerated() where new != old { copy(from: self, old, to: new) }
    lengths.removeLast(lengths.count - places.count)
  }

  private func copy(from other: KeyValueRows, _ old: Int, to new: Int) {
    let stride = width * keys.type.stride
    for (source, destination) in [(other.keys, keys), (other.values, values)] {
      (destination.base + new * capacity * stride).copyMemory(
        from: source.base + old * other.capacity * stride,
        byteCount: other.lengths[old] * stride)
    }
    lengths[new] = other.lengths[old]
  }
}

extension Tensor {
  /// Causal attention of new queries [B·T, H·D] over everything `cache` holds, in which they are
  /// the last T positions of each sequence.
  ///
  /// Sequences of different lengths take one query each.
  public func causalAttention(over cache: KeyValueRows, heads: Int, keyHeads: Int) -> Tensor {
    precondition(
      rows % cache.sequences == 0 && columns % heads == 0 && heads % keyHeads == 0
        && cache.width == columns / heads * keyHeads,
      "attention of \(shape) over \(cache.sequences) sequences of width \(cache.width)")
    let attention = AttentionShape(
      sequences: cache.sequences, queries: rows / cache.sequences, keys: cache.length,
      heads: heads, keyHeads: keyHeads, dim: columns / heads)
    let y = Tensor(uninitialized: [rows, columns], type: type, in: workspace)
    if attention.queries == 1 {
      attention.forwardOne(self, over: cache, into: y)
      return y
    }
    precondition(
      cache.lengths.allSatisfy { $0 == cache.length },
      "\(attention.queries) queries for sequences of lengths \(cache.lengths)")
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

extension AttentionShape {
  /// One query a sequence: no products but sums over the cache.
  fileprivate func forwardOne(_ q: Tensor, over cache: KeyValueRows, into y: Tensor) {
    let workspace = q.workspace
    let group = heads / keyHeads
    // Rows of the query heads that share a key head.
    let shape = [sequences * keyHeads, group * dim]
    let (q, y) = (q.detached.reshaped(shape), y.reshaped(shape))
    workspace.forEachPart(shape[0], cost: shape[1] * keys) { rows in
      q.reading(rows) { q in
        y.writing(rows) { y in
          workspace.withScratch(keys) { scores in
            for head in 0..<rows.count * group {
              let (sequence, keyHead) = (rows.lowerBound + head / group)
                .quotientAndRemainder(dividingBy: keyHeads)
              let start = sequence * cache.capacity * cache.width + keyHead * dim
              let length = cache.lengths[sequence]
              if cache.keys.type == .bfloat16 {
                apus_attend_one_half(
                  y + head * dim, q + head * dim, cache.keys.half + start,
                  cache.values.half + start, cache.width, length, dim, scale, scores)
              } else {
                apus_attend_one(
                  y + head * dim, q + head * dim, cache.keys.pointer + start,
                  cache.values.pointer + start, cache.width, length, dim, scale, scores)
              }
            }
          }
        }
      }
    }
  }
}
