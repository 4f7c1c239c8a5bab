/// Sizes of one attention; see Tensor+Attention.swift for the legend.
struct AttentionShape {
  let sequences: Int
  let queries: Int
  let keys: Int
  let heads: Int
  let keyHeads: Int
  let dim: Int
  let reach: AttentionReach
  /// Factor of the scores q·kᵀ.
  let scale: Float

  /// - Parameter scale: 1/√D when nil.
  init(
    sequences: Int, queries: Int, keys: Int, heads: Int, keyHeads: Int, dim: Int,
    reach: AttentionReach = .causal(window: nil), scale: Float? = nil
  ) {
    self.sequences = sequences
    self.queries = queries
    self.keys = keys
    self.heads = heads
    self.keyHeads = keyHeads
    self.dim = dim
    self.reach = reach
    self.scale = scale ?? 1 / Float(dim).squareRoot()
  }

  /// Row stride of a block of scores.
  ///
  /// It is a multiple of 4, as required for the first dropout word of a row.
  var rowStride: Int { (keys + 15) / 16 * 16 }

  var isCausal: Bool { reach != .full }

  /// The size of the sliding window in keys; nil when a query can attend to all of its past keys.
  var window: Int? {
    if case .causal(let window?) = reach, window < keys { window } else { nil }
  }

  /// The query heads that share `keyHead`.
  func queryHeads(of keyHead: Int) -> Range<Int> {
    let group = heads / keyHeads
    return keyHead * group..<(keyHead + 1) * group
  }

  /// The end (exclusive) of the keys that any of `rows` attends to in a sequence of one example.
  func end(of rows: Range<Int>, past: Int) -> Int {
    isCausal ? past + rows.upperBound : keys
  }
}

/// Dropout, packing, padding and bias of one attention.
struct AttentionSettings {
  /// Dropout mask of the probabilities, or nil.
  var dropout: DropoutMask?
  /// The first row of every row's example within its sequence, [B·T]; empty when every sequence is
  /// one example.
  var starts: [Int32] = []
  /// The number of keys of every sequence that are not padding, [B]; empty when there is no
  /// padding.
  var keyLengths: [Int32] = []
  /// Relative position bias of the scores, or nil.
  var bias: RelativeBias?
}

/// A strided view of the heads of all rows: row t of sequence b starts at element
/// b·sequenceStride + t·rowStride.
struct HeadRows {
  let base: UnsafeMutableRawPointer
  let type: ElementType
  let rowStride: Int
  let sequenceStride: Int
  /// Keeps the memory alive during an attention; nil where a surrounding scope does.
  var owner: Storage?

  /// Returns `rows` of a head, [rows × D].
  func matrix(_ head: Int, dim: Int, sequence: Int, rows: Range<Int>) -> BlockMatrix {
    let first = sequence * sequenceStride + rows.lowerBound * rowStride + head * dim
    return BlockMatrix(
      base: base + first * type.stride, type: type, rowStride: rowStride, rows: rows.count,
      columns: dim, owner: owner)
  }

  /// Sets the first `rows` rows of a head of a gradient to zero.
  func clear(_ head: Int, dim: Int, sequence: Int, rows: Int) {
    let gradient = matrix(head, dim: dim, sequence: sequence, rows: 0..<rows).floats
    for row in 0..<rows { (gradient + row * rowStride).update(repeating: 0, count: dim) }
  }
}

/// The destinations of the gradients of q, k and v, in fp32; each is added to or overwritten.
struct AttentionGradients {
  let q: (rows: HeadRows, adds: Bool)
  let k: (rows: HeadRows, adds: Bool)
  let v: (rows: HeadRows, adds: Bool)
}
