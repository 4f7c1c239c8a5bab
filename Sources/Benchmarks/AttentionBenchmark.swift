import Tensors

/// Causal attention with 12 heads of dimension 64, forward and backward, on one thread: 1,024
/// positions as four sequences of 256 and as one of 1,024.
enum AttentionBenchmark {
  private static let heads = 12
  private static let dim = 64

  static func all(_ settings: Settings) -> [Benchmark] {
    [
      Benchmark(
        name: "attention", summary: "causal attention, forward and backward, one thread",
        measurements: Precision.allCases.flatMap { precision in
          [256, 1024].map { length in
            Measurement(
              name: "attention.\(precision).\(length)",
              title: "attention of \(length) positions, \(precision), 1 thread",
              quantities: [.rate("GFLOP/s")],
              source: .apus(ranks: 1) { _ in
                ["rate": try rate(precision, length: length) / 1e9]
              })
          }
        })
    ]
  }

  /// FLOP/s of the matrix products alone: two forward and five backward, each over half of the T×T
  /// scores.
  private static func rate(_ precision: Precision, length: Int) throws -> Double {
    let sequences = 1024 / length
    let operations = Double(7 * sequences * heads * dim) * Double(length) * Double(length)
    return try Throughput.rate(threads: 1, amount: operations) { _ in
      let workspace = Workspace(precision: precision)
      // The input and the output have one number per position: their products cost almost nothing,
      // but a tensor becomes bf16 or fp32, as inside a network, only as the result of a product.
      let start = Tensor(repeating: 0.5, shape: [1024, 1], in: workspace).differentiable
      let spread = Tensor(repeating: 1, shape: [1, 3 * heads * dim], in: workspace)
      let gather = Tensor(repeating: 1, shape: [heads * dim, 1], in: workspace)
      return {
        let sum = workspace.recording {
          start.linear(weight: spread, order: .inputsByOutputs)
            .packedCausalAttention(sequences: sequences, heads: heads)
            .linear(weight: gather, order: .inputsByOutputs, fp32Output: true).sum()
        }
        workspace.backward(from: sum)
      }
    }
  }
}
