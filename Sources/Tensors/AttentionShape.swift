/// Sizes of one attention; the legend is that of Tensor+Attention.swift.
struct AttentionShape {
  let sequences: Int
  let queries: Int
  let keys: Int
  let heads: Int
  let keyHeads: Int
  let dim: Int
  let reach: AttentionReach
  /// Factor of the products of queries and keys.
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

  /// Row pitch of a block of scores; a multiple of 4, as dropout's words want it.
  var pitch: Int { (keys + 15) / 16 * 16 }

  var isCausal: Bool { reach != .full }

  /// How many keys a query sees at most, where that is fewer than there are.
  var window: Int? {
    if case .causal(let window?) = reach, window < keys { window } else { nil }
  }

  /// The key after the last that any of `rows` sees in a sequence of one example.
  func end(of rows: Range<Int>, past: Int) -> Int {
    isCausal ? past + rows.upperBound : keys
  }
}

/// What an attention adds to its scores, and which keys it leaves out.
struct AttentionTerms {
  /// Mask on the probabilities, or nil.
  var dropout: DropoutMask?
  /// Where the example of every row starts, [B·T]; empty when every sequence is one example.
  var starts: [Int32] = []
  /// How many keys of every sequence are no padding, [B]; empty when all are.
  var keyLengths: [Int32] = []
  /// What is added to the scores, or nil.
  var bias: RelativeBias?
}

/// Rows of heads somewhere in memory: row t of sequence b starts at b·sequencePitch + t·pitch.
struct HeadRows {
  let base: UnsafeMutableRawPointer
  let type: ElementType
  let pitch: Int
  let sequencePitch: Int
  /// Keeps the memory while an attention runs; nil where a scope does.
  var owner: Storage?

  func address(_ head: Int, dim: Int, sequence: Int, row: Int = 0) -> UnsafeMutableRawPointer {
    base + (sequence * sequencePitch + row * pitch + head * dim) * type.stride
  }

  func matrix(
    _ head: Int, dim: Int, sequence: Int, row: Int = 0, transposed: Bool = false
  ) -> Matrix {
    Matrix(
      base: address(head, dim: dim, sequence: sequence, row: row), type: type, pitch: pitch,
      transposed: transposed, owner: owner)
  }

  func destination(_ head: Int, dim: Int, sequence: Int, row: Int = 0) -> MatrixDestination {
    MatrixDestination(
      base: address(head, dim: dim, sequence: sequence, row: row), type: type, pitch: pitch)
  }
}
