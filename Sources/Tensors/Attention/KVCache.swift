import CKernels

/// The KV cache of one attention layer: the keys and values of all previous positions of a batch of
/// sequences.
///
/// Memory for `capacity` positions is allocated at once. Values are stored in rows; the rows of
/// sequence b begin at b·capacity. Keys are stored in groups of positions (see `apus_place_keys`),
/// so that a query is multiplied with a full vector of keys at a time. No gradient flows through
/// the cache.
package final class KVCache {
  /// The number of cached positions of each sequence.
  package private(set) var lengths: [Int]
  /// The largest number of positions per sequence.
  package let capacity: Int
  let width: Int
  /// [sequences, groups, width, positions of a group].
  let keys: Tensor
  /// [sequences, capacity, width].
  let values: Tensor

  /// Allocates room for `capacity` positions of `width` elements (key heads × head size) per
  /// sequence.
  package init(sequences: Int, capacity: Int, width: Int, in workspace: Workspace) {
    lengths = Array(repeating: 0, count: sequences)
    self.capacity = capacity
    self.width = width
    let type = Tensor.operandType(in: workspace)
    let group = Int(APUS_KEY_GROUP)
    let groups = (capacity + group - 1) / group
    keys = Tensor(uninitialized: [sequences, groups, width, group], type: type, in: workspace)
    values = Tensor(uninitialized: [sequences, capacity, width], type: type, in: workspace)
  }

  /// The number of cached positions of the longest sequence.
  package var length: Int { lengths.reduce(0, max) }

  var sequences: Int { lengths.count }

  /// The number of elements of the keys of a sequence.
  private var keyStride: Int { keys.shape[1...].reduce(1, *) }

  /// The index of the first element of a key head of a sequence in `keys`.
  func firstKey(_ sequence: Int, _ keyHead: Int, dim: Int) -> Int {
    sequence * keyStride + keyHead * dim * Int(APUS_KEY_GROUP)
  }

  /// Appends the same number of new positions to every sequence.
  ///
  /// - Parameters:
  ///   - keys: [sequences·new, width].
  ///   - values: [sequences·new, width].
  package func append(keys newKeys: Tensor, values newValues: Tensor) {
    let new = newKeys.rows / max(sequences, 1)
    precondition(
      newKeys.columns == width && newValues.shape == newKeys.shape && length + new <= capacity
        && newKeys.type == keys.type && newValues.type == keys.type,
      "\(new) more positions of \(newKeys.shape) after \(length) of \(capacity)")
    for sequence in 0..<sequences {
      let (first, source) = (firstKey(sequence, 0, dim: 0), sequence * new * width)
      if keys.type == .bfloat16 {
        apus_place_keys_bf16(
          keys.bf16 + first, newKeys.bf16 + source, lengths[sequence], new, width)
      } else {
        apus_place_keys(
          keys.pointer + first, newKeys.pointer + source, lengths[sequence], new, width)
      }
      let destination = (sequence * capacity + lengths[sequence]) * width
      (values.base + destination * values.type.stride).copyMemory(
        from: newValues.base + source * values.type.stride,
        byteCount: new * width * values.type.stride)
    }
    for sequence in lengths.indices { lengths[sequence] += new }
  }

  /// The keys as rows [sequences·length, width]; all sequences must have the same length.
  var keyRows: Tensor {
    let rows = Tensor(
      uninitialized: [sequences * length, width], type: keys.type, in: keys.workspace)
    for sequence in 0..<sequences {
      let (first, destination) = (firstKey(sequence, 0, dim: 0), sequence * length * width)
      if keys.type == .bfloat16 {
        apus_fetch_keys_bf16(rows.bf16 + destination, keys.bf16 + first, length, width)
      } else {
        apus_fetch_keys(rows.pointer + destination, keys.pointer + first, length, width)
      }
    }
    return rows
  }

  /// Copies the one sequence of `other` to each of the sequences `places`.
  package func fill(_ places: Range<Int>, from other: KVCache) {
    precondition(
      other.sequences == 1 && other.width == width && other.length <= capacity
        && places.lowerBound >= 0 && places.upperBound <= sequences,
      "\(other.sequences) sequences of \(other.length)×\(other.width) for places \(places) of "
        + "\(sequences) of \(capacity)×\(width)")
    for place in places { copy(from: other, 0, to: place) }
  }

  /// Removes the sequence at `place`; the last sequence moves there.
  package func remove(_ place: Int) {
    if place != sequences - 1 { copy(from: self, sequences - 1, to: place) }
    lengths.removeLast()
  }

  private func copy(from other: KVCache, _ old: Int, to new: Int) {
    let (stride, length, group) = (keys.type.stride, other.lengths[old], Int(APUS_KEY_GROUP))
    (keys.base + new * keyStride * stride).copyMemory(
      from: other.keys.base + old * other.keyStride * stride,
      byteCount: (length + group - 1) / group * group * width * stride)
    (values.base + new * capacity * width * stride).copyMemory(
      from: other.values.base + old * other.capacity * width * stride,
      byteCount: length * width * stride)
    lengths[new] = length
  }
}
