import RandomNumbers
import Testing

@testable import Tensors

/// Attention of several examples packed into a sequence, against each example alone.
@Suite struct PackedExamplesTests {
  /// The lengths of the examples of every sequence; all sequences have the same total length.
  struct Packing: Sendable, CustomTestStringConvertible {
    var examples: [[Int]]
    var heads = 1
    var keyHeads = 1
    var dim: Int
    var testDescription: String { "\(examples), \(heads)/\(keyHeads) heads of \(dim)" }

    var starts: [Int32] {
      examples.flatMap { lengths in
        var start = 0
        return lengths.flatMap { length in
          defer { start += length }
          return [Int32](repeating: Int32(start), count: length)
        }
      }
    }

    /// The rows of every example.
    var ranges: [Range<Int>] {
      var start = 0
      return examples.joined().map { length in
        defer { start += length }
        return start..<start + length
      }
    }
    var rows: Int { starts.count }
  }

  static let packings = [
    Packing(examples: [[1, 2, 1], [4]], heads: 2, keyHeads: 1, dim: 4),
    Packing(examples: [[63, 1, 64, 65, 130, 7], [330]], heads: 4, keyHeads: 2, dim: 6),
    Packing(
      examples: [[200, 3, 1, 1, 150], [64, 64, 64, 64, 99]], heads: 2, keyHeads: 2, dim: 8),
  ]

  /// Returns the result and the gradients of q, k and v for the rows `rows` of the packing `p`.
  private func attention(
    _ p: Packing, in workspace: Workspace, rows: Range<Int>, sequences: Int, starts: [Int32],
    reach: AttentionReach = .causal(window: nil)
  ) -> [[Float]] {
    func part(_ width: Int, _ tag: Int) -> Tensor {
      let all = probeValues(p.rows * width, tag)
      return Tensor(
        Array(all[rows.lowerBound * width..<rows.upperBound * width]), shape: [rows.count, width],
        in: workspace)
    }
    let points = [
      part(p.heads * p.dim, 1), part(p.keyHeads * p.dim, 2), part(p.keyHeads * p.dim, 3),
    ]
    let outputGradient = part(p.heads * p.dim, 4).values
    let isBF16 = workspace.precision == .bf16
    let run = { (points: [Tensor]) in
      let points = isBF16 ? points.map(\.asOperand) : points
      let y = points[0].attention(
        keys: points[1], values: points[2], sequences: sequences, heads: p.heads,
        keyHeads: p.keyHeads, starts: starts, reach: reach)
      return isBF16 ? y.asFloats : y
    }
    return [run(points).values] + workspace.gradients(points, outputGradient: outputGradient, run)
  }

  static let reaches: [AttentionReach] = [.causal(window: nil), .causal(window: 5), .full]

  @Test(arguments: packings, reaches)
  func packedExamplesHaveTheBitsOfSingleExamplesInFP32(packing p: Packing, reach: AttentionReach) {
    let workspace = Workspace()
    let packed = attention(
      p, in: workspace, rows: 0..<p.rows, sequences: p.examples.count, starts: p.starts,
      reach: reach)
    for range in p.ranges {
      let alone = attention(
        p, in: workspace, rows: range, sequences: 1, starts: [], reach: reach)
      for (part, (packed, alone)) in zip(packed, alone).enumerated() {
        let width = packed.count / p.rows
        let own = packed[range.lowerBound * width..<range.upperBound * width]
        #expect(Array(own) == alone, "part \(part) of rows \(range)")
      }
    }
  }

  @Test(arguments: packings, reaches)
  func bf16IsCloseToFP32(packing p: Packing, reach: AttentionReach) {
    let (fp32, bf16) = (Workspace(), Workspace(precision: .bf16))
    let parts = [fp32, bf16].map {
      attention(
        p, in: $0, rows: 0..<p.rows, sequences: p.examples.count, starts: p.starts, reach: reach)
    }
    for (part, (expected, values)) in zip(parts[0], parts[1]).enumerated() {
      let size = expected.reduce(0) { max($0, abs($1)) }
      let worst = zip(expected, values).reduce(0) { max($0, abs($1.0 - $1.1)) } / size
      #expect(worst < 0.02, "part \(part)")
    }
  }

  /// `starts` with a single example gives the same bits as no `starts`.
  @Test func aSequenceWithoutStartsIsOneExample() {
    for precision in Precision.allCases {
      let p = Packing(examples: [[150], [150]], heads: 2, keyHeads: 1, dim: 8)
      let workspace = Workspace(precision: precision)
      let named = attention(p, in: workspace, rows: 0..<300, sequences: 2, starts: p.starts)
      let plain = attention(p, in: workspace, rows: 0..<300, sequences: 2, starts: [])
      #expect(named == plain, "\(precision)")
    }
  }

  /// Packed projections q, k and v give the same bits as separate ones.
  @Test(arguments: packings) func packedProjectionsMatchSeparateOnes(packing p: Packing) {
    guard p.heads == p.keyHeads else { return }
    let workspace = Workspace()
    let width = p.heads * p.dim
    let parts = (1...3).map { probeValues(p.rows * width, $0) }
    var packed: [Float] = []
    for row in 0..<p.rows {
      for part in parts { packed += part[row * width..<(row + 1) * width] }
    }
    let x = Tensor(packed, shape: [p.rows, 3 * width], in: workspace)
    let outputGradient = probeValues(p.rows * width, 4)
    let run = { (points: [Tensor]) in
      points[0].packedCausalAttention(
        sequences: p.examples.count, heads: p.heads, starts: p.starts)
    }
    let expected = attention(
      p, in: workspace, rows: 0..<p.rows, sequences: p.examples.count, starts: p.starts)
    #expect(run([x]).values == expected[0])
    let gradient = workspace.gradients([x], outputGradient: outputGradient, run)[0]
    for part in 0..<3 {
      var own: [Float] = []
      for row in 0..<p.rows {
        let first = (row * 3 + part) * width
        own += gradient[first..<first + width]
      }
      #expect(own == expected[part + 1])
    }
  }

  @Test func gradientsMatchFiniteDifferences() {
    let workspace = Workspace()
    let p = Packing(examples: [[3, 4, 1], [1, 7]], heads: 2, keyHeads: 1, dim: 2)
    let mask = DropoutMask(
      rate: 0.3, stream: RandomStream(seed: 1, purpose: .dropout, 0, 0, 0))
    let outputGradient = Tensor(probeValues(p.rows * 4, 9), shape: [p.rows, 4], in: workspace)
    for dropout in [nil, mask] {
      let check = GradientCheck(
        at: [
          workspace.probe([p.rows, 4], 1), workspace.probe([p.rows, 2], 2),
          workspace.probe([p.rows, 2], 3),
        ]
      ) {
        ($0[0].attention(
          keys: $0[1], values: $0[2], sequences: 2, heads: 2, keyHeads: 1, dropout: dropout,
          starts: p.starts) * outputGradient).sum()
      }
      #expect(check.worstError < 1e-3, "\(check.place)")
    }
  }

  @Test func blocksOutsideTheExamplesAreSkipped() {
    let plain = AttentionShape(
      sequences: 1, queries: 1024, keys: 1024, heads: 1, keyHeads: 1, dim: 1)
    let starts = (0..<1024).map { Int32($0 / 128 * 128) }
    let whole = AttentionBlocks(plain, starts: [], type: .float32).operations(plain)
    for type in [ElementType.float32, .bfloat16] {
      let packed = AttentionBlocks(plain, starts: starts, type: type).operations(plain)
      // Eight triangles of two blocks instead of one of sixteen.
      #expect(packed == whole * 8 * 3 / 136)
    }
  }
}
