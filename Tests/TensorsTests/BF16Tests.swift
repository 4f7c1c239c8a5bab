import Testing

@testable import Tensors

/// bf16: rounding, matrix products, and operations compared with fp32.
@Suite struct BF16Tests {
  let fp32 = Workspace()
  let bf16 = Workspace(precision: .bf16)

  /// Reference rounding to nearest, ties to even.
  private static func rounded(_ x: Float) -> Float {
    guard x.isFinite else { return x }
    let bits = x.bitPattern
    let (below, rest) = (bits & 0xFFFF_0000, bits & 0xFFFF)
    let up = rest > 0x8000 || (rest == 0x8000 && below & 0x1_0000 != 0)
    return Float(bitPattern: up ? below &+ 0x1_0000 : below)
  }

  private static let hard: [Float] = [
    0, -0, 1, -1, 1.003_906_25, 1.011_718_75, .infinity, -.infinity, .greatestFiniteMagnitude,
    .leastNonzeroMagnitude, .leastNormalMagnitude, 3.141_592_7, -2.718_281_7, 65_504,
    Float(bitPattern: 0x3F80_8000), Float(bitPattern: 0x3F81_8000), Float(bitPattern: 0x3F80_8001),
    Float(bitPattern: 0xBF80_7FFF), Float(bitPattern: 0x7F7F_7FFF),
  ]

  @Test func roundsToNearestTiesToEven() {
    for count in [0, 1, 15, 16, 17, 19, 40] {
      let values = (0..<count).map { Self.hard[$0 % Self.hard.count] }
      let back = Tensor(values, shape: [count], in: bf16).operand.values
      #expect(
        back.map(\.bitPattern) == values.map { Self.rounded($0).bitPattern }, "\(count) values")
    }
    for nan in [Float.nan, Float(bitPattern: 0x7F80_0001), Float(bitPattern: 0xFFFF_FFFF)] {
      for count in [1, 16] {
        let back = Tensor(repeating: nan, shape: [count], in: bf16).operand.values
        #expect(back.allSatisfy { $0.isNaN })
      }
    }
  }

  struct Product: Sendable, CustomTestStringConvertible {
    var (m, n, k): (Int, Int, Int)
    var testDescription: String { "\(m)×\(n)×\(k)" }
  }

  @Test(
    arguments: [
      (1, 1, 1), (3, 5, 7), (64, 48, 33), (17, 130, 1), (1, 64, 256), (5, 3, 0), (0, 4, 4),
    ].map { Product(m: $0.0, n: $0.1, k: $0.2) }, [false, true])
  func productsSumRoundedFactorsInFP32(size: Product, expands: Bool) {
    let (m, n, k) = (size.m, size.n, size.k)
    let products = BF16Products(expands: expands)
    for flags in 0..<32 {
      let (aT, bT) = (flags & 1 != 0, flags & 2 != 0)
      let (adds, hasBias, toBF16) = (flags & 4 != 0, flags & 8 != 0, flags & 16 != 0)
      // Padded rows: the row stride differs from the width.
      let a = bf16.probe(aT ? [k, m + 3] : [m, k + 3], 1).operand
      let b = bf16.probe(bT ? [n, k + 1] : [k, n + 1], 2).operand
      let bias = bf16.probe([n], 3)
      guard k > 0, m > 0, !(adds && (hasBias || toBF16)) else { continue }
      let start = bf16.probe([m, n + 2], 4)
      let c = toBF16 ? start.operand : start
      let expected = start.values
      products.multiply(
        Matrix(a, transposed: aT), Matrix(b, transposed: bT), into: MatrixDestination(c), m: m,
        n: n, k: k, bias: hasBias ? bias.pointer : nil, adds: adds)
      let (av, bv, result) = (a.values, b.values, c.values)
      for row in 0..<m {
        for column in 0..<n {
          var sum = adds ? Double(expected[row * (n + 2) + column]) : 0
          if hasBias { sum += Double(bias.values[column]) }
          var size = abs(sum)
          for index in 0..<k {
            let x = av[aT ? index * (m + 3) + row : row * (k + 3) + index]
            let y = bv[bT ? column * (k + 1) + index : index * (n + 1) + column]
            sum += Double(x) * Double(y)
            size += abs(Double(x) * Double(y))
          }
          let error = abs(Double(result[row * (n + 2) + column]) - sum)
          let limit = 1e-6 * size + (toBF16 ? abs(sum) / 256 : 0)
          #expect(error <= limit, "\(flags): \(row), \(column)")
        }
        // The padding between rows is not written.
        if !toBF16 {
          for column in n..<n + 2 {
            #expect(result[row * (n + 2) + column] == expected[row * (n + 2) + column])
          }
        }
      }
    }
  }

  /// Compares the result and the gradients in both precisions.
  ///
  /// A bf16 number has 8 bits of precision; a sum of such errors stays near 1/128 of the largest
  /// value.
  private func compare(
    _ shapes: [[Int]], _ location: SourceLocation = #_sourceLocation,
    _ operation: ([Tensor]) -> Tensor
  ) {
    func run(_ workspace: Workspace) -> (values: [Float], gradients: [[Float]]) {
      let points = shapes.enumerated().map { workspace.probe($1, $0) }
      var values: [Float] = []
      let (_, gradients) = valueWithGradient(at: points) { starts in
        let y = operation(starts)
        values = y.values
        let outputGradient = workspace.probe([y.columns, 1], 99)
        return y.linear(weight: outputGradient, order: .inputsByOutputs, fp32Output: true).sum()
      }
      return (values, gradients.map { $0?.values ?? [] })
    }
    // NaNs expose memory that is read before it is written or after it was released.
    for size in 6..<18 {
      _ = (0..<4).map { _ in Tensor(repeating: .nan, shape: [1 << size], in: bf16) }
    }
    let (a, b) = (run(fp32), run(bf16))
    let gradients = zip(a.gradients, b.gradients).enumerated().map {
      ("gradient \($0)", $1.0, $1.1)
    }
    for (name, expected, found) in [("result", a.values, b.values)] + gradients {
      #expect(expected.count == found.count, "\(name)", sourceLocation: location)
      let size = expected.reduce(0) { max($0, abs($1)) }
      // A NaN counts as an infinite error.
      let worst = zip(expected, found).reduce(Float(0)) {
        let error = abs($1.0 - $1.1)
        return error.isNaN ? .infinity : max($0, error)
      }
      #expect(worst <= size / 64, "\(name): \(worst) of \(size)", sourceLocation: location)
      if size > 0 && name == "result" {
        #expect(worst > 0, "\(name) was not rounded at all", sourceLocation: location)
      }
    }
  }

  @Test func operationsInBF16AgreeWithFP32() {
    compare([[9, 24], [24, 40], [40]]) {
      $0[0].linear(weight: $0[1], order: .inputsByOutputs, bias: $0[2])
    }
    compare([[9, 24], [40, 24]]) { $0[0].linear(weight: $0[1], order: .outputsByInputs) }
    compare([[300, 24], [40, 24]]) {
      ($0[0] * 0.5).crossEntropy(
        head: $0[1], targets: (0..<300).map { Int32($0 % 40) },
        weights: (0..<300).map { Float($0 % 3) }
      ).reshaped([300, 1])
    }
    compare([[9, 24], [24, 40], [40]]) {
      $0[0].linear(weight: $0[1], order: .inputsByOutputs, bias: $0[2], fp32Output: true)
    }
    for fp32Output in [false, true] {
      compare([[9, 24], [24, 40], [40], [9, 5], [40, 5]]) {
        $0[0].linear(
          weight: $0[1], order: .inputsByOutputs, bias: $0[2], plus: ($0[3], $0[4]),
          fp32Output: fp32Output)
      }
    }
    // 2,048 numbers at a time are expanded; these are two pieces and a part.
    let mask = DropoutMask(rate: 0.4, stream: .init(seed: 3, purpose: .dropout, 1))
    compare([[110, 24], [24, 41]]) {
      $0[0].linear(weight: $0[1], order: .inputsByOutputs).dropout(mask)
    }
    compare([[9, 24], [24, 40]]) {
      $0[0].linear(weight: $0[1], order: .inputsByOutputs).rows(at: [3, 3, 8])
    }
    compare([[9, 24], [24], [24]]) { $0[0].layerNorm(gain: $0[1], bias: $0[2], epsilon: 1e-5) }
    compare([[9, 24], [24], [24], [24, 40], [24, 40]]) {
      let x = $0[0].layerNorm(gain: $0[1], bias: $0[2], epsilon: 1e-5, fp32Output: true).rounded
      return x.linear(weight: $0[3], order: .inputsByOutputs).gelu(.exact)
        .linear(weight: $0[4], order: .outputsByInputs, fp32Output: true)
    }
    compare([[9, 24], [40, 24], [40]]) {
      $0[0].crossEntropy(head: $0[1], bias: $0[2], targets: (0..<9).map { Int32($0 * 4) })
    }
    compare([[9, 24], [24]]) { $0[0].rmsNorm(gain: $0[1], epsilon: 1e-5) }
    compare([[9, 24], [24, 2100]]) { $0[0].linear(weight: $0[1], order: .inputsByOutputs).gelu() }
    compare([[9, 24], [24, 40], [24, 40]]) {
      $0[0].linear(weight: $0[1], order: .inputsByOutputs)
        .swiGLU($0[0].linear(weight: $0[2], order: .inputsByOutputs))
    }
  }

  @Test(arguments: [0, 0.25] as [Float]) func attentionInBF16AgreesWithFP32(rate: Float) {
    let mask =
      rate > 0
      ? DropoutMask(rate: rate, stream: .init(seed: 3, purpose: .dropout, 1)) : nil
    // Scores are kept small, because the softmax amplifies their rounding errors.
    compare([[2 * 70, 12], [12, 3 * 32]]) {
      ($0[0] * 0.25).linear(weight: $0[1], order: .inputsByOutputs)
        .packedCausalAttention(sequences: 2, heads: 4, dropout: mask)
    }
    for dim in [16, 48, 64] {
      compare([[2 * 70, 12], [12, 3 * 2 * dim]]) {
        ($0[0] * 0.25).linear(weight: $0[1], order: .inputsByOutputs)
          .packedCausalAttention(sequences: 2, heads: 2, dropout: mask)
      }
    }
    let table = RotaryTable(dim: 8, positions: 70, base: 10_000)
    let positions = (0..<140).map { Int32($0 % 70) }
    compare([[2 * 70, 12], [12, 32], [12, 16], [12, 16]]) {
      let x = $0[0] * 0.25
      let q = x.linear(weight: $0[1], order: .inputsByOutputs)
      let k = x.linear(weight: $0[2], order: .inputsByOutputs)
      let v = x.linear(weight: $0[3], order: .inputsByOutputs)
      return q.rotated(table, positions: positions).attention(
        keys: k.rotated(table, positions: positions), values: v, sequences: 2, heads: 4,
        keyHeads: 2, dropout: mask)
    }
  }

  @Test func productsReadParametersFromTheirBF16Copy() {
    var layout = ParameterLayout()
    layout.append("w", shape: [4, 4], initializer: .normal(std: 1), decays: true)
    let values = FlatBuffer(count: layout.count)
    let bf16Copy = BF16Buffer(count: layout.count)
    layout.initialize(values.elements, seed: 1)
    let weight = bf16.bind(layout, values: values, bf16Copy: bf16Copy) {
      $0.tensor("w", [4, 4], .normal(std: 1), decays: true)
    }
    let x = bf16.probe([2, 4], 1)
    // The copy is zero before `round` is called, which proves that the product reads it.
    #expect(
      x.linear(weight: weight, order: .inputsByOutputs).values == [Float](repeating: 0, count: 8))
    bf16Copy.round(values, 0..<layout.count)
    #expect(
      x.linear(weight: weight, order: .inputsByOutputs).values
        == x.linear(weight: weight.expandedCopy, order: .inputsByOutputs).values)
  }
}

extension Tensor {
  /// A copy of the values that is not a parameter.
  fileprivate var expandedCopy: Tensor { Tensor(values, shape: shape, in: workspace) }
}
