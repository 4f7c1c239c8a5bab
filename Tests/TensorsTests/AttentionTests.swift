import Foundation
import Testing

@testable import Tensors

/// Blocked attention against the definition in 64 bits, and attention over a KV cache against
/// attention over the full sequence.
@Suite struct AttentionTests {
  let workspace = Workspace()

  struct Sizes: Sendable, CustomTestStringConvertible {
    var sequences = 1
    var queries: Int
    var keys: Int
    var heads = 1
    var keyHeads = 1
    var dim: Int
    var reach = AttentionReach.causal(window: nil)
    var testDescription: String {
      "\(sequences)×(\(queries) of \(keys)), \(heads)/\(keyHeads) heads of \(dim), \(reach)"
    }
    var window: Int? { if case .causal(let window) = reach { window } else { nil } }

    /// Returns the keys that query `t` attends to.
    func seen(_ t: Int) -> Range<Int> {
      let end = reach == .full ? keys : keys - queries + t + 1
      return max(0, end - (window ?? end))..<end
    }
  }

  /// Returns the result and the gradients of q, k and v by the definition, for the gradient `d`
  /// with respect to the result.
  private static func reference(
    _ s: Sizes, q: [Float], k: [Float], v: [Float], d: [Float]
  ) -> (out: [Double], dq: [Double], dk: [Double], dv: [Double]) {
    var out = [Double](repeating: 0, count: q.count)
    var (dq, dk, dv) = (out, [Double](repeating: 0, count: k.count), [Double]())
    dv = dk
    let scale = 1 / Double(s.dim).squareRoot()
    for sequence in 0..<s.sequences {
      for head in 0..<s.heads {
        let group = head / (s.heads / s.keyHeads)
        for t in 0..<s.queries {
          let query = ((sequence * s.queries + t) * s.heads + head) * s.dim
          let seen = s.seen(t)
          let key = { (place: Int) in
            ((sequence * s.keys + seen.lowerBound + place) * s.keyHeads + group) * s.dim
          }
          var p = (0..<seen.count).map { position in
            var score = 0.0
            for e in 0..<s.dim { score += Double(q[query + e]) * Double(k[key(position) + e]) }
            return exp(scale * score)
          }
          let total = p.reduce(0, +)
          p = p.map { $0 / total }
          var dp = [Double](repeating: 0, count: seen.count)
          for position in 0..<seen.count {
            for e in 0..<s.dim {
              let gradient = Double(d[query + e])
              out[query + e] += p[position] * Double(v[key(position) + e])
              dv[key(position) + e] += p[position] * gradient
              dp[position] += gradient * Double(v[key(position) + e])
            }
          }
          let delta = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
          for position in 0..<seen.count {
            let ds = p[position] * (dp[position] - delta) * scale
            for e in 0..<s.dim {
              dq[query + e] += ds * Double(k[key(position) + e])
              dk[key(position) + e] += ds * Double(q[query + e])
            }
          }
        }
      }
    }
    return (out, dq, dk, dv)
  }

  /// Returns the largest error, relative to the largest expected value.
  private func worst(_ values: [Float], _ expected: [Double]) -> Double {
    let size = expected.reduce(1e-30) { max($0, abs($1)) }
    return zip(values, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / size
  }

  @Test(arguments: [
    Sizes(queries: 300, keys: 300, heads: 2, keyHeads: 2, dim: 4),
    Sizes(sequences: 2, queries: 129, keys: 129, heads: 4, keyHeads: 2, dim: 6),
    Sizes(queries: 64, keys: 64, dim: 3), Sizes(queries: 65, keys: 193, heads: 3, dim: 5),
    Sizes(sequences: 3, queries: 1, keys: 40, heads: 2, dim: 2), Sizes(queries: 1, keys: 1, dim: 1),
    Sizes(sequences: 2, queries: 20, keys: 20, heads: 2, dim: 4, reach: .causal(window: 3)),
    Sizes(
      sequences: 2, queries: 200, keys: 200, heads: 4, keyHeads: 2, dim: 4,
      reach: .causal(window: 70)),
    Sizes(queries: 70, keys: 90, heads: 2, keyHeads: 2, dim: 4, reach: .causal(window: 2)),
    Sizes(sequences: 2, queries: 150, keys: 150, heads: 2, keyHeads: 2, dim: 4, reach: .full),
    Sizes(sequences: 2, queries: 70, keys: 9, heads: 4, keyHeads: 2, dim: 4, reach: .full),
  ])
  func attentionAndItsGradientsMatchTheDefinition(sizes s: Sizes) {
    let q = workspace.probe([s.sequences * s.queries, s.heads * s.dim], 1)
    let k = workspace.probe([s.sequences * s.keys, s.keyHeads * s.dim], 2)
    let v = workspace.probe([s.sequences * s.keys, s.keyHeads * s.dim], 3)
    let d = probeValues(q.count, 4)
    let attention = { (points: [Tensor]) in
      points[0].attention(
        keys: points[1], values: points[2], sequences: s.sequences, heads: s.heads,
        keyHeads: s.keyHeads, reach: s.reach)
    }
    let expected = Self.reference(s, q: q.values, k: k.values, v: v.values, d: d)
    let gradients = workspace.gradients([q, k, v], outputGradient: d, attention)
    #expect(worst(attention([q, k, v]).values, expected.out) < 2e-6)
    #expect(worst(gradients[0], expected.dq) < 5e-6)
    #expect(worst(gradients[1], expected.dk) < 5e-6)
    #expect(worst(gradients[2], expected.dv) < 5e-6)

    guard s.queries == s.keys && s.heads == s.keyHeads && s.reach == .causal(window: nil) else {
      return
    }
    let width = s.heads * s.dim
    let rows = s.sequences * s.queries
    var packed: [Float] = []
    for row in 0..<rows {
      for part in [q, k, v] { packed += part.values[row * width..<(row + 1) * width] }
    }
    let x = Tensor(packed, shape: [rows, 3 * width], in: workspace)
    let packedAttention = { (points: [Tensor]) in
      points[0].packedCausalAttention(sequences: s.sequences, heads: s.heads)
    }
    #expect(packedAttention([x]).values == attention([q, k, v]).values)
    let dx = workspace.gradients([x], outputGradient: d, packedAttention)[0]
    for (index, expected) in [expected.dq, expected.dk, expected.dv].enumerated() {
      var values: [Float] = []
      for row in 0..<rows {
        let first = (row * 3 + index) * width
        values += dx[first..<first + width]
      }
      #expect(worst(values, expected) < 5e-6)
    }
  }

  @Test(arguments: [
    Sizes(queries: 20, keys: 20, dim: 4),
    Sizes(sequences: 3, queries: 100, keys: 100, heads: 4, keyHeads: 2, dim: 6),
    Sizes(
      sequences: 3, queries: 100, keys: 100, heads: 4, keyHeads: 2, dim: 6,
      reach: .causal(window: 7)),
  ])
  func cachedAttentionMatchesTheLastRowsOfFullAttention(sizes s: Sizes) {
    let length = s.queries
    let q = workspace.probe([s.sequences * length, s.heads * s.dim], 1)
    let k = workspace.probe([s.sequences * length, s.keyHeads * s.dim], 2)
    let v = workspace.probe([s.sequences * length, s.keyHeads * s.dim], 3)
    let whole = q.attention(
      keys: k, values: v, sequences: s.sequences, heads: s.heads, keyHeads: s.keyHeads,
      reach: .causal(window: s.window)
    ).values
    let cache = KVCache(
      sequences: s.sequences, capacity: length + 3, width: s.keyHeads * s.dim, in: workspace)
    func part(_ x: Tensor, _ range: Range<Int>) -> Tensor {
      let width = x.columns
      let values = (0..<s.sequences).flatMap { sequence in
        let first = (sequence * length + range.lowerBound) * width
        return x.values[first..<first + range.count * width]
      }
      return Tensor(values, shape: [s.sequences * range.count, width], in: workspace)
    }
    var start = 0
    for new in [1, 9, 1, 1, length - 12] {
      let range = start..<start + new
      cache.append(keys: part(k, range), values: part(v, range))
      #expect(cache.length == range.upperBound)
      let y = part(q, range).attention(
        over: cache, heads: s.heads, keyHeads: s.keyHeads, reach: .causal(window: s.window))
      let expected = part(Tensor(whole, shape: q.shape, in: workspace), range).values
      #expect(worst(y.values, expected.map(Double.init)) < 2e-6, "\(range)")
      start += new
    }
    #expect(start == length)
  }

  /// The maximum score is subtracted before the exponential.
  @Test func largeScoresDoNotOverflow() {
    let q = workspace.probe([80, 4], 1) * 100
    let k = workspace.probe([80, 4], 2) * 100
    let v = workspace.probe([80, 4], 3)
    let y = q.attention(keys: k, values: v, sequences: 1, heads: 1, keyHeads: 1)
    #expect(y.values.allSatisfy { $0.isFinite })
    let gradients = workspace.gradients([q, k, v], outputGradient: probeValues(320, 4)) {
      $0[0].attention(keys: $0[1], values: $0[2], sequences: 1, heads: 1, keyHeads: 1)
    }
    #expect(gradients.allSatisfy { $0.allSatisfy { $0.isFinite } })
  }
}
