import Foundation
import Testing

@testable import Tensors

/// Biases by relative position, factors of one's own, and padded keys: attention against its
/// definition in 64 bits, against itself alone, in teams and with a cache.
@Suite struct RelativeBiasTests {
  struct Sizes: Sendable, CustomTestStringConvertible {
    var sequences = 1
    var queries: Int
    var keys: Int
    var heads = 1
    var keyHeads = 1
    var dim: Int
    var reach = AttentionReach.full
    var keyLengths: [Int32] = []
    var starts: [Int32] = []
    var scale: Float? = 1
    var buckets: RelativeBuckets? = RelativeBuckets(
      count: 8, maximumDistance: 20, isBidirectional: true)
    var testDescription: String {
      "\(sequences)×(\(queries) of \(keys)), \(heads)/\(keyHeads) heads of \(dim), \(reach), "
        + "lengths \(keyLengths)"
    }

    /// Returns the keys that query `t` attends to.
    func seen(_ sequence: Int, _ t: Int) -> Range<Int> {
      let start = starts.isEmpty ? 0 : Int(starts[sequence * queries + t])
      guard reach == .full else { return start..<keys - queries + t + 1 }
      return start..<(keyLengths.isEmpty ? keys : Int(keyLengths[sequence]))
    }

    func points(in workspace: Workspace) -> [Tensor] {
      [
        workspace.probe([sequences * queries, heads * dim], 1),
        workspace.probe([sequences * keys, keyHeads * dim], 2),
        workspace.probe([sequences * keys, keyHeads * dim], 3),
      ] + (buckets.map { [workspace.probe([$0.count, heads], 4)] } ?? [])
    }

    func attention(_ points: [Tensor], dropout: DropoutMask? = nil) -> Tensor {
      points[0].attention(
        keys: points[1], values: points[2], sequences: sequences, heads: heads,
        keyHeads: keyHeads, dropout: dropout, starts: starts, reach: reach,
        keyLengths: keyLengths, scale: scale,
        bias: buckets.map { RelativeBias(points[3], buckets: $0) })
    }
  }

  static let causal = RelativeBuckets(count: 32, maximumDistance: 128, isBidirectional: false)
  static let both = RelativeBuckets(count: 32, maximumDistance: 128, isBidirectional: true)

  static let sizes = [
    Sizes(queries: 5, keys: 5, dim: 3),
    Sizes(sequences: 2, queries: 150, keys: 150, heads: 4, keyHeads: 2, dim: 4, buckets: both),
    Sizes(
      sequences: 2, queries: 140, keys: 140, heads: 2, keyHeads: 2, dim: 6,
      reach: .causal(window: nil), buckets: causal),
    Sizes(
      sequences: 3, queries: 70, keys: 130, heads: 2, keyHeads: 1, dim: 4,
      keyLengths: [130, 1, 67],
      scale: nil, buckets: nil),
    Sizes(
      sequences: 2, queries: 90, keys: 90, heads: 2, keyHeads: 2, dim: 4, keyLengths: [64, 83],
      scale: 0.7, buckets: both),
    Sizes(queries: 9, keys: 80, heads: 2, keyHeads: 2, dim: 4, reach: .causal(window: nil)),
    Sizes(queries: 80, keys: 9, heads: 2, keyHeads: 2, dim: 4),
    Sizes(
      queries: 100, keys: 100, heads: 2, keyHeads: 2, dim: 4, reach: .causal(window: nil),
      starts: (0..<100).map { $0 < 30 ? 0 : $0 < 98 ? 30 : 98 }, buckets: causal),
  ]

  /// Returns the result and the gradients of q, k, v and the table by the definition.
  private func reference(_ s: Sizes, _ points: [Tensor], outputGradient: [Float]) -> [[Double]] {
    let values = points.map { $0.values.map(Double.init) }
    var result = values.map { $0.map { _ in 0.0 } }
    var out = result[0]
    let scale = s.scale.map(Double.init) ?? 1 / Double(s.dim).squareRoot()
    for sequence in 0..<s.sequences {
      for head in 0..<s.heads {
        let group = head / (s.heads / s.keyHeads)
        for t in 0..<s.queries {
          let query = ((sequence * s.queries + t) * s.heads + head) * s.dim
          let seen = s.seen(sequence, t)
          let key = { ((sequence * s.keys + $0) * s.keyHeads + group) * s.dim }
          let entry = { (key: Int) in
            s.buckets.map { $0(key - (s.keys - s.queries + t)) * s.heads + head }
          }
          var p = seen.map { key(Int($0)) }.enumerated().map { place, start in
            let dot = (0..<s.dim).reduce(0.0) { $0 + values[0][query + $1] * values[1][start + $1] }
            return exp(scale * dot + (entry(seen.lowerBound + place).map { values[3][$0] } ?? 0))
          }
          let total = p.reduce(0, +)
          p = p.map { $0 / total }
          let dp = seen.map { position in
            (0..<s.dim).reduce(0.0) {
              $0 + Double(outputGradient[query + $1]) * values[2][key(position) + $1]
            }
          }
          let delta = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
          for (place, position) in seen.enumerated() {
            let ds = p[place] * (dp[place] - delta)
            for e in 0..<s.dim {
              out[query + e] += p[place] * values[2][key(position) + e]
              result[0][query + e] += scale * ds * values[1][key(position) + e]
              result[1][key(position) + e] += scale * ds * values[0][query + e]
              result[2][key(position) + e] += p[place] * Double(outputGradient[query + e])
            }
            if let entry = entry(position) { result[3][entry] += ds }
          }
        }
      }
    }
    return [out] + result
  }

  private func worst(_ values: [Float], _ expected: [Double]) -> Double {
    let size = expected.reduce(1e-30) { max($0, abs($1)) }
    return zip(values, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / size
  }

  @Test(arguments: sizes) func attentionAndItsGradientsMatchTheDefinition(sizes s: Sizes) {
    let workspace = Workspace()
    let points = s.points(in: workspace)
    let outputGradient = probeValues(points[0].count, 9)
    let expected = reference(s, points, outputGradient: outputGradient)
    let got =
      [s.attention(points).values]
      + workspace.gradients(points, outputGradient: outputGradient) { s.attention($0) }
    #expect(got.count == expected.count)
    for (place, (got, expected)) in zip(got, expected).enumerated() {
      #expect(worst(got, expected) < 1e-5, "\(place)")
    }
  }

  @Test func gradientsMatchFiniteDifferences() {
    let workspace = Workspace()
    let mask = DropoutMask(rate: 0.3, stream: .init(seed: 3, purpose: .dropout, 1))
    let cases = [
      Sizes(
        sequences: 2, queries: 7, keys: 7, heads: 4, keyHeads: 2, dim: 2, keyLengths: [4, 7],
        scale: 0.6),
      Sizes(
        sequences: 2, queries: 6, keys: 6, heads: 2, keyHeads: 2, dim: 3,
        reach: .causal(window: nil), starts: [0, 0, 2, 2, 4, 4, 0, 0, 0, 0, 0, 5]),
      Sizes(
        sequences: 3, queries: 3, keys: 6, heads: 2, keyHeads: 2, dim: 2, keyLengths: [1, 6, 3],
        buckets: nil),
    ]
    for sizes in cases {
      let points = sizes.points(in: workspace)
      let check = GradientCheck(at: points) { points in
        let y = sizes.attention(points, dropout: mask)
        return (y * workspace.probe(y.shape, 99)).sum()
      }
      #expect(check.worstError <= 2e-3, "\(sizes): \(check.place)")
    }
  }

  @Test func gradientsOfATableSharedByTwoAttentionsAreAdded() {
    let workspace = Workspace()
    let sizes = Sizes(sequences: 2, queries: 6, keys: 6, heads: 2, keyHeads: 2, dim: 2)
    let check = GradientCheck(at: sizes.points(in: workspace)) { points in
      let y = sizes.attention(points)
      return (sizes.attention([y] + points[1...]) * y).sum()
    }
    #expect(check.worstError <= 2e-3, "\(check.place)")
  }

  /// Padding does not change the other rows: the bits are the same in fp32 and nearly the same in
  /// bf16.
  @Test(arguments: Precision.allCases) func paddedKeysDoNotChangeResults(precision: Precision) {
    let workspace = Workspace(precision: precision)
    let sizes = Sizes(
      sequences: 2, queries: 70, keys: 100, heads: 2, keyHeads: 2, dim: 8, keyLengths: [77, 5],
      buckets: nil)
    let run = { (sizes: Sizes, points: [Tensor]) in
      let y = sizes.attention(points.map(\.asOperand))
      return y.asFloats
    }
    let points = sizes.points(in: workspace)
    let outputGradient = probeValues(points[0].count, 9)
    let whole =
      [run(sizes, points).values]
      + workspace.gradients(points, outputGradient: outputGradient) { run(sizes, $0) }
    let width = sizes.heads * sizes.dim
    for (sequence, length) in sizes.keyLengths.map(Int.init).enumerated() {
      func rows(_ values: [Float], _ rowStride: Int, _ count: Int) -> [Float] {
        Array(values[sequence * rowStride * width..<(sequence * rowStride + count) * width])
      }
      var alone = sizes
      (alone.sequences, alone.keys, alone.keyLengths) = (1, length, [])
      let own = [
        Tensor(rows(points[0].values, 70, 70), shape: [70, width], in: workspace),
        Tensor(rows(points[1].values, 100, length), shape: [length, width], in: workspace),
        Tensor(rows(points[2].values, 100, length), shape: [length, width], in: workspace),
      ]
      let expected =
        [run(alone, own).values]
        + workspace.gradients(own, outputGradient: rows(outputGradient, 70, 70)) { run(alone, $0) }
      for (place, expected) in expected.enumerated() {
        let got = rows(whole[place], place < 2 ? 70 : 100, place < 2 ? 70 : length)
        if precision == .fp32 {
          #expect(got == expected, "\(sequence), \(place)")
        } else {
          #expect(worst(got, expected.map(Double.init)) < 1e-2, "\(sequence), \(place)")
        }
      }
      // Gradients of padded keys and values are zero.
      for place in 2...3 {
        let rest = whole[place][(sequence * 100 + length) * width..<(sequence + 1) * 100 * width]
        #expect(rest.allSatisfy { $0 == 0 })
      }
    }
  }

  /// Single queries over a KV cache, for sequences of equal and of different lengths.
  @Test(arguments: Precision.allCases)
  func cachedAttentionHasTheBitsOfFullAttention(precision: Precision) {
    let workspace = Workspace(precision: precision, isBatchInvariant: true)
    let sizes = Sizes(
      sequences: 2, queries: 30, keys: 30, heads: 4, keyHeads: 2, dim: 4,
      reach: .causal(window: nil), buckets: Self.causal)
    let points = sizes.points(in: workspace).prefix(3).map(\.asOperand)
    let bias = RelativeBias(sizes.points(in: workspace)[3], buckets: Self.causal)
    let whole = sizes.attention(points + [bias.table]).asFloats.values
    func part(_ x: Tensor, _ sequence: Int, _ rows: Range<Int>) -> Tensor {
      let x = x.asFloats[rows: sequence * 30 + rows.lowerBound..<sequence * 30 + rows.upperBound]
      return x.asOperand
    }
    let cache = KVCache(sequences: 2, capacity: 31, width: 8, in: workspace)
    // The second sequence is ten positions shorter than the first.
    for sequence in 0..<2 {
      let own = KVCache(sequences: 1, capacity: 31, width: 8, in: workspace)
      let count = sequence == 0 ? 20 : 10
      own.append(
        keys: part(points[1], sequence, 0..<count), values: part(points[2], sequence, 0..<count))
      let y = part(points[0], sequence, 0..<count).attention(
        over: own, heads: 4, keyHeads: 2, reach: .causal(window: nil), scale: 1, bias: bias)
      let first = sequence * 30 * 16
      #expect(y.asFloats.values == Array(whole[first..<first + count * 16]))
      cache.fill(sequence..<sequence + 1, from: own)
    }
    for step in 0..<10 {
      let rows = [20 + step, 10 + step]
      func both(_ x: Tensor) -> Tensor {
        let values = rows.enumerated().flatMap { part(x, $0, $1..<$1 + 1).asFloats.values }
        return Tensor(values, shape: [2, x.columns], in: workspace).asOperand
      }
      cache.append(keys: both(points[1]), values: both(points[2]))
      let y = both(points[0]).attention(
        over: cache, heads: 4, keyHeads: 2, reach: .causal(window: nil), scale: 1, bias: bias
      ).asFloats.values
      for (sequence, row) in rows.enumerated() {
        let first = (sequence * 30 + row) * 16
        #expect(Array(y[sequence * 16..<sequence * 16 + 16]) == Array(whole[first..<first + 16]))
      }
    }
  }

  struct Golden: Decodable {
    let count: Int
    let maximumDistance: Int
    let isBidirectional: Bool
    let first: Int
    let buckets: [Int]
  }

  /// `Goldens/relative_buckets.py` made the values with transformers.
  @Test func bucketsMatchTransformers() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Goldens/relative_buckets.json")
    let goldens = try JSONDecoder().decode([Golden].self, from: Data(contentsOf: path))
    #expect(goldens.count == 16)
    for golden in goldens {
      let buckets = RelativeBuckets(
        count: golden.count, maximumDistance: golden.maximumDistance,
        isBidirectional: golden.isBidirectional)
      let got = golden.buckets.indices.map { buckets(golden.first + $0) }
      #expect(got == golden.buckets, "\(buckets)")
    }
  }
}
