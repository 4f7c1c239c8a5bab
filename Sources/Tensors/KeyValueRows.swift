import CKernels

/// The keys and values of the positions a group of sequences has passed, for one attention layer.
///
/// Memory for `capacity` positions is taken at once. Values lie in rows, those of sequence b from
/// b·capacity on; keys in groups of positions (see `apus_place_keys`), so that one query meets a whole
/// vector of them at a time. No derivative flows through it.
public final class KeyValueRows {
  /// Positions that each sequence holds so far.
  public private(set) var lengths: [Int]
  /// Positions there is room for, in each sequence.
  public let capacity: Int
  let width: Int
  /// [sequences, groups, width, positions of a group].
  let keys: Tensor
  /// [sequences, capacity, width].
  let values: Tensor

  /// Room for `capacity` positions of `width` elements (key heads × head size) per sequence.
  public init(sequences: Int, capacity: Int, width: Int, in workspace: Workspace) {
    lengths = Array(repeating: 0, count: sequences)
    self.capacity = capacity
    self.width = width
    let type = Tensor.operandType(in: workspace)
    let group = Int(APUS_KEY_GROUP)
    let groups = (capacity + group - 1) / group
    keys = Tensor(uninitialized: [sequences, groups, width, group], type: type, in: workspace)
    values = Tensor(uninitialized: [sequences, capacity, width], type: type, in: workspace)
  }

  /// Positions that the longest sequence holds.
  public var length: Int { lengths.reduce(0, max) }

  var sequences: Int { lengths.count }

  /// Elements of the keys of a sequence.
  private var keyPitch: Int { keys.shape[1...].reduce(1, *) }

  /// Where the keys of a sequence's key head begin, in elements.
  func firstKey(_ sequence: Int, _ keyHead: Int, dim: Int) -> Int {
    sequence * keyPitch + keyHead * dim * Int(APUS_KEY_GROUP)
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
      let (first, source) = (firstKey(sequence, 0, dim: 0), sequence * new * width)
      if keys.type == .bfloat16 {
        apus_place_keys_half(
          keys.half + first, newKeys.half + source, lengths[sequence], new, width)
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

  /// The keys in rows [sequences·length, width], for sequences of one length.
  var keyRows: Tensor {
    let rows = Tensor(
      uninitialized: [sequences * length, width], type: keys.type, in: keys.workspace)
    for sequence in 0..<sequences {
      let (first, destination) = (firstKey(sequence, 0, dim: 0), sequence * length * width)
      if keys.type == .bfloat16 {
        apus_fetch_keys_half(rows.half + destination, keys.half + first, length, width)
      } else {
        apus_fetch_keys(rows.pointer + destination, keys.pointer + first, length, width)
      }
    }
    return rows
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
    let (stride, length, group) = (keys.type.stride, other.lengths[old], Int(APUS_KEY_GROUP))
    (keys.base + new * keyPitch * stride).copyMemory(
      from: other.keys.base + old * other.keyPitch * stride,
      byteCount: (length + group - 1) / group * group * width * stride)
    (values.base + new * capacity * width * stride).copyMemory(
      from: other.values.base + old * other.capacity * width * stride,
      byteCount: length * width * stride)
    lengths[new] = length
  }
}
