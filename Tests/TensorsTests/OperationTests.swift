import RandomNumbers
import Testing

@testable import Tensors

/// Gradients of every operation against finite differences, with odd shapes, single elements and
/// empty dimensions.
@Suite struct OperationTests {
  let workspace = Workspace()

  /// Values in (−1.5, 1.5), a pure function of the tag.
  func random(_ shape: [Int], _ tag: Int) -> Tensor {
    let stream = RandomStream(seed: 7, purpose: .probe, tag)
    let values = (0..<shape.reduce(1, *)).map { (stream.uniform(UInt64($0)) - 0.5) * 3 }
    return Tensor(values, shape: shape, in: workspace)
  }

  /// Checks the gradients of `operation` through a fixed random projection to a scalar, so that
  /// every element of the result has a different weight.
  func check(
    _ points: [Tensor], tolerance: Float = 2e-3, _ location: SourceLocation = #_sourceLocation,
    _ operation: ([Tensor]) -> Tensor
  ) {
    let result = GradientCheck(at: points) { inputs in
      let y = operation(inputs)
      return (y * random(y.shape, 999)).sum()
    }
    #expect(result.worstError <= tolerance, "\(result.place)", sourceLocation: location)
  }

  static let shapes = [[1], [3, 5], [2, 3, 17], [1, 1], [0], [3, 0], [0, 4], [33]]

  @Test(arguments: shapes) func elementwise(shape: [Int]) {
    let a = random(shape, 1)
    let b = random(shape, 2)
    check([a, b]) { $0[0] + $0[1] }
    check([a, b]) { $0[0] - $0[1] }
    check([a, b]) { $0[0] * $0[1] }
    check([a]) { $0[0] * 2.5 }
    check([a]) { $0[0] * $0[0] + $0[0] }
    check([a]) { $0[0].reshaped([a.count]) }
    check([a]) { $0[0].sum() }
  }

  @Test(arguments: shapes) func activations(shape: [Int]) {
    check([random(shape, 1)]) { $0[0].gelu() }
    check([random(shape, 1)]) { $0[0].gelu(.exact) }
    check([random(shape, 1)]) { $0[0].tanh() }
    check([random(shape, 1), random(shape, 2)]) { $0[0].swiGLU($0[1]) }
    check([random(shape, 1)]) { $0[0].swiGLU($0[0]) }
    check([random(shape, 1), random(shape, 2)]) { $0[0].geGLU($0[1]) }
    check([random(shape, 1)]) { $0[0].geGLU($0[0]) }
    check([random(shape, 1)]) { $0[0].relu() * $0[0] }
  }

  @Test(arguments: [[1, 1], [3, 5], [2, 3, 17], [0, 4], [4, 16], [2, 40]])
  func normalizations(shape: [Int]) {
    let width = shape[shape.count - 1]
    let points = [random(shape, 1), random([width], 2), random([width], 3)]
    check(points) { $0[0].layerNorm(gain: $0[1], bias: $0[2], epsilon: 1e-2) }
    check([points[0], points[1]]) { $0[0].rmsNorm(gain: $0[1], epsilon: 1e-2) }
    check([points[1]]) { points[0].rmsNorm(gain: $0[0], epsilon: 1e-2) }
    check([points[1]]) { points[0].layerNorm(gain: $0[0], bias: points[2], epsilon: 1e-2) }
  }

  @Test func rowRanges() {
    check([random([5, 3], 1)]) { $0[0][rows: 1..<3] }
    check([random([5, 3], 1)]) { $0[0][rows: 2..<2] }
    check([random([5, 3], 1)]) { $0[0][rows: 0..<4] * $0[0][rows: 1..<5] }
  }

  @Test(arguments: [(1, 1, 1), (3, 5, 7), (4, 17, 2), (0, 3, 2), (2, 33, 16)])
  func linear(rows: Int, inputs: Int, outputs: Int) {
    let x = random([rows, inputs], 1)
    let bias = random([outputs], 3)
    check([x, random([outputs, inputs], 2), bias]) {
      $0[0].linear(weight: $0[1], order: .outputsByInputs, bias: $0[2])
    }
    check([x, random([inputs, outputs], 2), bias]) {
      $0[0].linear(weight: $0[1], order: .inputsByOutputs, bias: $0[2])
    }
    check([x, random([inputs, outputs], 2)]) {
      $0[0].linear(weight: $0[1], order: .inputsByOutputs)
    }
  }

  @Test(arguments: [(1, 1, 1, 1), (3, 5, 7, 2), (4, 17, 2, 3), (2, 33, 16, 8)])
  func linearPlusASecondProduct(rows: Int, inputs: Int, outputs: Int, rank: Int) {
    let points = [
      random([rows, inputs], 1), random([outputs, inputs], 2), random([outputs], 3),
      random([rows, rank], 4), random([outputs, rank], 5),
    ]
    check(points) {
      $0[0].linear(
        weight: $0[1], order: .outputsByInputs, bias: $0[2], plus: ($0[3], $0[4]))
    }
    // With a frozen weight.
    check([points[0], points[3], points[4]]) {
      $0[0].linear(
        weight: points[1], order: .outputsByInputs, bias: points[2], plus: ($0[1], $0[2]))
    }
    let sum =
      points[0].linear(weight: points[1], order: .outputsByInputs, bias: points[2])
      + points[3].linear(weight: points[4], order: .outputsByInputs)
    let both = points[0].linear(
      weight: points[1], order: .outputsByInputs, bias: points[2], plus: (points[3], points[4]))
    #expect(zip(sum.values, both.values).allSatisfy { abs($0 - $1) <= 1e-5 })
  }

  @Test func rowsAtIndices() {
    check([random([5, 3], 1)]) { $0[0].rows(at: [4, 0, 4, 2]) }
    check([random([5, 3], 1)]) { $0[0].rows(at: []) }
    check([random([4, 3], 1)]) { $0[0].rows(at: [1, 2]) + $0[0].rows(at: [2, 0]) }
    #expect(random([5, 3], 1).rows(at: [2]).values == random([5, 3], 1)[rows: 2..<3].values)
  }

  @Test func gather() {
    check([random([5, 3], 1)]) { $0[0].gather([4, 0, 4, 2]) }
    check([random([5, 3], 1)]) { $0[0].gather([]) }
    check([random([4, 3], 1)]) { $0[0].gather([1, 2]) + $0[0].gather([2, 0]) }
  }

  @Test(arguments: [(1, 1, 1, 1), (2, 5, 3, 3), (1, 7, 4, 8), (2, 70, 1, 2), (1, 130, 2, 1)])
  func packedAttention(sequences: Int, length: Int, heads: Int, dim: Int) {
    let packed = random([sequences * length, 3 * heads * dim], 1)
    check([packed], tolerance: 4e-3) {
      $0[0].packedCausalAttention(sequences: sequences, heads: heads)
    }
  }

  @Test(arguments: [
    (1, 3, 3, 2, 1, 4), (2, 4, 6, 4, 2, 3), (1, 66, 67, 2, 2, 2), (1, 1, 9, 3, 1, 2),
  ])
  func groupedAttention(
    sequences: Int, queries: Int, keys: Int, heads: Int, keyHeads: Int, dim: Int
  ) {
    let q = random([sequences * queries, heads * dim], 1)
    let k = random([sequences * keys, keyHeads * dim], 2)
    let v = random([sequences * keys, keyHeads * dim], 3)
    check([q, k, v], tolerance: 4e-3) {
      $0[0].attention(
        keys: $0[1], values: $0[2], sequences: sequences, heads: heads, keyHeads: keyHeads)
    }
    check([q], tolerance: 4e-3) {
      $0[0].attention(
        keys: k, values: v, sequences: sequences, heads: heads, keyHeads: keyHeads)
    }
  }

  @Test func dropout() {
    let mask = DropoutMask(rate: 0.3, stream: RandomStream(seed: 1, purpose: .dropout, 3))
    check([random([7, 11], 1)]) { $0[0].dropout(mask) }
    check([random([10, 3 * 4], 1)]) {
      $0[0].packedCausalAttention(sequences: 2, heads: 2, dropout: mask)
    }
    let ones = Tensor(repeating: 1, shape: [100, 1000], in: workspace)
    let kept = ones.dropout(mask).values
    let share = Float(kept.filter { $0 != 0 }.count) / 100_000
    #expect(abs(share - 0.7) < 0.005)
    #expect(kept.allSatisfy { $0 == 0 || abs($0 - 1 / 0.7) < 1e-6 })
  }

  @Test func rotary() {
    let table = RotaryTable(dim: 6, positions: 9, base: 10_000)
    check([random([4, 12], 1)]) { $0[0].rotated(table, positions: [0, 3, 8, 1]) }
  }

  @Test(arguments: [(1, 2), (3, 5), (2, 37), (0, 4)])
  func crossEntropy(rows: Int, vocabulary: Int) {
    let targets = (0..<rows).map { Int32(($0 * 7) % vocabulary) }
    let weights = (0..<rows).map { Float($0 % 3) * 0.5 }
    check([random([rows, vocabulary], 1)]) {
      ($0[0] * 1).crossEntropyConsumingLogits(targets: targets, weights: weights)
    }
    check([random([rows, vocabulary], 1)]) {
      ($0[0] * 1).crossEntropyConsumingLogits(targets: targets)
    }
  }

  /// One chunk of rows, and several.
  @Test(arguments: [(1, 3, 2), (5, 4, 7), (150, 2, 3), (0, 2, 3)])
  func crossEntropyWithHead(rows: Int, width: Int, vocabulary: Int) {
    let targets = (0..<rows).map { Int32(($0 * 7) % vocabulary) }
    let weights = (0..<rows).map { Float($0 % 3) * 0.5 }
    let points = [random([rows, width], 1), random([vocabulary, width], 2)]
    check(points) { $0[0].crossEntropy(head: $0[1], targets: targets, weights: weights) }
    check(points) { $0[0].crossEntropy(head: $0[1], targets: targets) }
    check([points[0]]) { $0[0].crossEntropy(head: points[1], targets: targets) }
    let biased = points + [random([vocabulary], 3)]
    check(biased) {
      $0[0].crossEntropy(head: $0[1], bias: $0[2], targets: targets, weights: weights)
    }
    #expect(
      points[0].crossEntropy(head: points[1], bias: biased[2], targets: targets).values
        == points[0].linear(weight: points[1], order: .outputsByInputs, bias: biased[2])
        .crossEntropyConsumingLogits(targets: targets).values)
    let logits = points[0].linear(weight: points[1], order: .outputsByInputs)
    #expect(
      points[0].crossEntropy(head: points[1], targets: targets, weights: weights).values
        == logits.crossEntropyConsumingLogits(targets: targets, weights: weights).values)
  }

  @Test(arguments: [(1, 3, 2), (5, 4, 7), (70, 2, 3), (0, 2, 3), (3, 5, 33)])
  func logProbabilitiesAndEntropies(rows: Int, width: Int, vocabulary: Int) {
    let targets = (0..<rows).map { Int32(($0 * 7) % vocabulary) }
    let weights = (0..<rows).map { Float($0 % 3) * 0.5 }
    let points = [random([rows, width], 1), random([vocabulary, width], 2)]
    for (weights, temperature) in [(nil, 1), (weights, 0.7)] as [([Float]?, Float)] {
      check(points) {
        $0[0].logProbabilities(
          head: $0[1], targets: targets, weights: weights, temperature: temperature
        ).chosen
      }
      check(points) {
        let tokens = $0[0].logProbabilities(
          head: $0[1], targets: targets, weights: weights, temperature: temperature)
        return tokens.chosen * 0.5 + tokens.entropies
      }
    }
    check([points[0]]) { $0[0].logProbabilities(head: points[1], targets: targets).entropies }
  }

  @Test(arguments: shapes) func functionsGivenWithTheirDerivatives(shape: [Int]) {
    // A different factor for every element.
    check([random(shape, 1)]) {
      $0[0].elementwise { index, x in
        let factor = Float(index % 5) - 1.5
        return (factor * x * x, 2 * factor * x)
      }
    }
    // The product of a row's first and last number, and its square.
    check([random(shape, 2)]) {
      $0[0].rowwise { row, x, gradient in
        gradient.update(repeating: 0)
        guard let first = x.first, let last = x.last else { return Float(row) }
        gradient[0] += last
        gradient[x.count - 1] += first
        gradient[0] += 2 * first
        return first * last + first * first
      }
    }
    let twice = random(shape, 3)
    check([twice]) { $0[0].elementwise { _, x in (x * x, 2 * x) } + $0[0] }
    check([twice]) { (point: [Tensor]) in
      point[0].sums(over: [0..<twice.count, 0..<twice.count / 2, 0..<0])
        + point[0].sums(over: [0..<0, 0..<min(1, twice.count), 0..<twice.count])
    }
  }

  @Test func sumsOverRanges() {
    let x = Tensor([1, 2, 4, 8], shape: [4], in: workspace)
    #expect(x.sums(over: [1..<3, 0..<4, 2..<2, 3..<4]).values == [6, 15, 0, 8])
    #expect(x.sums(over: []).shape == [0])
    // The pieces of a long sum are added in 64 bits.
    let ones = Tensor(repeating: 1, shape: [1 << 10], in: workspace)
    let large = Tensor([0x1p24] + ones.values, shape: [(1 << 10) + 1], in: workspace)
    #expect(large.sums(over: [0..<large.count]).values == [0x1p24 + 1024])
  }

  @Test func functionsAreNotRecordedWithoutATape() {
    let x = Tensor([1, 2, 3, 4], shape: [2, 2], in: workspace)
    let products = x.rowwise { row, x, gradient in
      gradient[0] = .nan
      gradient[1] = .nan
      return x[0] * x[1] + Float(row)
    }
    #expect(products.values == [2, 13] && !products.needsGradient)
  }

  @Test func crossEntropyOfUniformLogits() {
    let logits = Tensor(repeating: 2, shape: [1, 50], in: workspace)
    let loss = logits.crossEntropyConsumingLogits(targets: [3]).values[0]
    #expect(abs(loss - 3.912023) < 1e-5)
  }

  @Test func aNaNReachesTheLoss() {
    let x = Tensor([.nan, 1], shape: [1, 2], in: workspace)
    #expect(x.gelu().values[0].isNaN)
    #expect((x * 1).crossEntropyConsumingLogits(targets: [1]).values[0].isNaN)
  }
}
