import Foundation
import Testing

@testable import Tensors

/// Every element-wise and row kernel against its formula in 64 bits, for sizes around one and two
/// vectors, with aligned and unaligned memory.
///
/// Errors of element-wise results are in ulps of each element, errors of sums in ulps of the
/// largest element of the result.
@Suite struct KernelTests {
  let workspace = Workspace()
  static let sizes = Array(1...40)

  private func doubles(_ tensor: Tensor) -> [Double] { tensor.values.map(Double.init) }

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  private static func gelu(_ x: Double) -> Double {
    0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
  }

  private static func exactGELU(_ x: Double) -> Double { x * erfc(-x / 2.0.squareRoot()) / 2 }

  /// Returns the derivative of a function by a central difference, accurate to about 1e-10.
  private static func derivative(_ f: (Double) -> Double, _ x: Double) -> Double {
    let h = 1e-3
    return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)
  }

  @Test(arguments: sizes, [0, 3]) func elementwise(size: Int, skew: Int) {
    let a = workspace.probe([size], 1, skew: skew)
    let b = workspace.probe([size], 2, skew: skew)
    let (x, y) = (doubles(a), doubles(b))
    let outputGradient = probeValues(size, 3)
    let d = outputGradient.map(Double.init)
    func pairs(_ f: (Double, Double) -> Double) -> [Double] { zip(x, y).map(f) }

    #expect(worstUlpsEach((a + b).values, pairs(+)) <= 0.5)
    #expect(worstUlpsEach((a - b).values, pairs(-)) <= 0.5)
    #expect(worstUlpsEach((a * b).values, pairs(*)) <= 0.5)
    #expect(worstUlpsEach((a * 0.3).values, x.map { $0 * Double(Float(0.3)) }) <= 0.5)
    #expect(worstUlpsEach([Float(a.total)], [x.reduce(0, +)]) <= 0.5)

    let product = workspace.gradients([a, b], outputGradient: outputGradient) { $0[0] * $0[1] }
    #expect(worstUlpsEach(product[0], zip(d, y).map(*)) <= 0.5)
    #expect(worstUlpsEach(product[1], zip(d, x).map(*)) <= 0.5)
    // The second contribution to a gradient is added to the first.
    let square = workspace.gradients([a], outputGradient: outputGradient) { $0[0] * $0[0] }
    #expect(worstUlpsEach(square[0], zip(d, x).map { 2 * $0 * $1 }) <= 1)
    let difference = workspace.gradients([a], outputGradient: outputGradient) { $0[0] * 3 - $0[0] }
    #expect(worstUlpsEach(difference[0], d.map { 2 * $0 }) <= 2)
  }

  @Test(arguments: sizes, [0, 3]) func activations(size: Int, skew: Int) {
    let a = workspace.probe([size], 1, skew: skew)
    let b = workspace.probe([size], 2, skew: skew)
    let (x, y) = (doubles(a), doubles(b))
    let outputGradient = probeValues(size, 3)
    let d = outputGradient.map(Double.init)
    let silu = { (x: Double) in x * Self.sigmoid(x) }

    #expect(worstUlpsEach(a.gelu().values, x.map(Self.gelu)) <= 4)
    #expect(worstUlpsEach(a.swiGLU(b).values, zip(x, y).map { silu($0) * $1 }) <= 5)
    let gelu = workspace.gradients([a], outputGradient: outputGradient) { $0[0].gelu() }
    #expect(worstUlps(gelu[0], zip(d, x).map { $0 * Self.derivative(Self.gelu, $1) }) <= 4)
    #expect(worstUlpsEach(a.gelu(.exact).values, x.map(Self.exactGELU)) <= 12)
    let exact = workspace.gradients([a], outputGradient: outputGradient) { $0[0].gelu(.exact) }
    #expect(worstUlps(exact[0], zip(d, x).map { $0 * Self.derivative(Self.exactGELU, $1) }) <= 4)
    #expect(worstUlps(a.tanh().values, x.map { Glibc.tanh($0) }) <= 4)
    let tanh = workspace.gradients([a], outputGradient: outputGradient) { $0[0].tanh() }
    #expect(worstUlps(tanh[0], zip(d, x).map { $0 * (1 - pow(Glibc.tanh($1), 2)) }) <= 4)
    let glu = workspace.gradients([a, b], outputGradient: outputGradient) { $0[0].swiGLU($0[1]) }
    let gate = (0..<size).map { d[$0] * y[$0] * Self.derivative(silu, x[$0]) }
    #expect(worstUlps(glu[0], gate) <= 4)
    #expect(worstUlpsEach(glu[1], zip(d, x).map { $0 * silu($1) }) <= 5)

    #expect(a.relu().values == a.values.map { max(0, $0) })
    let relu = workspace.gradients([a], outputGradient: outputGradient) { $0[0].relu() }[0]
    #expect(relu == zip(outputGradient, a.values).map { $1 > 0 ? $0 : 0 })
    let twice = workspace.gradients([a], outputGradient: outputGradient) {
      $0[0].relu() + $0[0].relu()
    }[0]
    #expect(twice == relu.map { 2 * $0 })
    #expect(worstUlpsEach(a.geGLU(b).values, zip(x, y).map { Self.gelu($0) * $1 }) <= 5)
    let geglu = workspace.gradients([a, b], outputGradient: outputGradient) { $0[0].geGLU($0[1]) }
    let gateGradient = (0..<size).map { d[$0] * y[$0] * Self.derivative(Self.gelu, x[$0]) }
    #expect(worstUlps(geglu[0], gateGradient) <= 4)
    #expect(worstUlpsEach(geglu[1], zip(d, x).map { $0 * Self.gelu($1) }) <= 5)
  }

  @Test(arguments: sizes, [0, 3]) func crossEntropy(columns: Int, skew: Int) {
    let rows = 3
    let x = workspace.probe([rows, columns], 1, skew: skew)
    let targets = (0..<rows).map { Int32(($0 * 5 + columns - 1) % columns) }
    let weights: [Float] = [0.5, 0, 2]
    let losses = (x * 1).crossEntropyConsumingLogits(targets: targets, weights: weights).values
    let dlosses = workspace.gradients([x], outputGradient: [1, 2, -3]) {
      ($0[0] * 1).crossEntropyConsumingLogits(targets: targets, weights: weights)
    }[0]
    for row in 0..<rows {
      let range = row * columns..<(row + 1) * columns
      let logits = x.values[range].map(Double.init)
      let total = logits.map(exp).reduce(0, +)
      let p = logits.map { exp($0) / total }
      let weight = Double(weights[row])
      let target = Int(targets[row])
      let loss = weight * (log(total) - logits[target])
      #expect(abs(Double(losses[row]) - loss) <= 4 * Double(Float(max(1, loss)).ulp))
      let factor = weight * [1, 2, -3][row]
      let dlogits = p.enumerated().map { factor * ($1 - ($0 == target ? 1 : 0)) }
      for (got, expected) in zip(dlosses[range], dlogits) {
        #expect(abs(Double(got) - expected) <= 4 * Double(Float(abs(factor)).ulp))
      }
    }
  }

  @Test(arguments: sizes, [0, 3]) func normalizations(columns: Int, skew: Int) {
    let rows = 3
    let x = workspace.probe([rows, columns], 1, skew: skew)
    let gain = workspace.probe([columns], 2, skew: skew)
    let bias = workspace.probe([columns], 4, skew: skew)
    let outputGradient = probeValues(rows * columns, 3)
    let epsilon = 0.01
    let points = [x, gain, bias]
    let layer = x.layerNorm(gain: gain, bias: bias, epsilon: Float(epsilon)).values
    let dlayer = workspace.gradients(points, outputGradient: outputGradient) {
      $0[0].layerNorm(gain: $0[1], bias: $0[2], epsilon: Float(epsilon))
    }
    let root = x.rmsNorm(gain: gain, epsilon: Float(epsilon)).values
    let droot = workspace.gradients([x, gain], outputGradient: outputGradient) {
      $0[0].rmsNorm(gain: $0[1], epsilon: Float(epsilon))
    }
    let (g, b, d) = (doubles(gain), doubles(bias), outputGradient.map(Double.init))
    let width = Double(columns)
    var expected = (
      layer: [Double](), root: [Double](), dlayer: [Double](), droot: [Double](),
      dgain: [Double](repeating: 0, count: columns), dbias: [Double](repeating: 0, count: columns),
      drootGain: [Double](repeating: 0, count: columns)
    )
    for row in 0..<rows {
      let values = doubles(x)[row * columns..<(row + 1) * columns].map { $0 }
      let mean = values.reduce(0, +) / width
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / width
      let inverse = 1 / (variance + Double(Float(epsilon))).squareRoot()
      let square = values.reduce(0) { $0 + $1 * $1 } / width
      let inverseRoot = 1 / (square + Double(Float(epsilon))).squareRoot()
      let h = (0..<columns).map { d[row * columns + $0] * g[$0] }
      let hat = values.map { ($0 - mean) * inverse }
      let hatRoot = values.map { $0 * inverseRoot }
      let meanH = h.reduce(0, +) / width
      let meanHX = zip(h, hat).reduce(0) { $0 + $1.0 * $1.1 } / width
      let meanHR = zip(h, hatRoot).reduce(0) { $0 + $1.0 * $1.1 } / width
      for c in 0..<columns {
        expected.layer.append(hat[c] * g[c] + b[c])
        expected.root.append(hatRoot[c] * g[c])
        expected.dlayer.append((h[c] - meanH - hat[c] * meanHX) * inverse)
        expected.droot.append((h[c] - hatRoot[c] * meanHR) * inverseRoot)
        expected.dgain[c] += d[row * columns + c] * hat[c]
        expected.dbias[c] += d[row * columns + c]
        expected.drootGain[c] += d[row * columns + c] * hatRoot[c]
      }
    }
    #expect(worstUlps(layer, expected.layer) <= 8)
    #expect(worstUlps(root, expected.root) <= 4)
    #expect(worstUlps(dlayer[1], expected.dgain) <= 8)
    #expect(worstUlps(dlayer[2], expected.dbias) <= 2)
    #expect(worstUlps(droot[1], expected.drootGain) <= 4)
    // Gradients of one or two columns nearly cancel to zero: errors are in ulps of their terms.
    let unit = Double(Float(10).ulp)
    #expect(zip(dlayer[0], expected.dlayer).allSatisfy { abs(Double($0) - $1) <= 16 * unit })
    #expect(zip(droot[0], expected.droot).allSatisfy { abs(Double($0) - $1) <= 16 * unit })
  }

  @Test(arguments: sizes) func rowsByIndexAndSums(columns: Int) {
    let table = workspace.probe([5, columns], 1)
    let ids: [Int32] = [4, 0, 4, 2, 4]
    let outputGradient = probeValues(5 * columns, 3)
    let rows = ids.flatMap { id in table.values[Int(id) * columns..<(Int(id) + 1) * columns] }
    #expect(table.gather(ids).values == rows)
    var expected = [Double](repeating: 0, count: 5 * columns)
    for (row, id) in ids.enumerated() {
      for c in 0..<columns {
        expected[Int(id) * columns + c] += Double(outputGradient[row * columns + c])
      }
    }
    let gathered = workspace.gradients([table], outputGradient: outputGradient) {
      $0[0].gather(ids)
    }[0]
    #expect(worstUlps(gathered, expected) <= 1)

    // A bias is broadcast over the rows; its gradient is the sum over them.
    let bias = workspace.probe([columns], 2)
    let x = workspace.probe([5, 1], 4)
    let weight = Tensor(repeating: 0, shape: [columns, 1], in: workspace)
    let linear = { (points: [Tensor]) in
      x.linear(weight: weight, order: .outputsByInputs, bias: points[0])
    }
    #expect(linear([bias]).values == (0..<5).flatMap { _ in bias.values })
    let sums = (0..<columns).map { c in
      (0..<5).reduce(0.0) { $0 + Double(outputGradient[$1 * columns + c]) }
    }
    #expect(
      worstUlps(workspace.gradients([bias], outputGradient: outputGradient, linear)[0], sums) <= 2)
  }

  /// Head sizes from 2 to 40: halves of 1 to 20 elements.
  @Test(arguments: 1...20) func rotary(half: Int) {
    let dim = 2 * half
    let table = RotaryTable(dim: dim, positions: 50, base: 10_000)
    let positions: [Int32] = [0, 49, 7]
    let x = workspace.probe([3, 2 * dim], 1)
    let outputGradient = probeValues(3 * 2 * dim, 3)
    func turned(_ values: [Float], _ direction: Double) -> [Double] {
      var result = values.map(Double.init)
      for (row, position) in positions.enumerated() {
        for head in 0..<2 {
          for pair in 0..<half {
            let angle = Double(position) * pow(10_000, -Double(2 * pair) / Double(dim)) * direction
            let first = row * 2 * dim + head * dim + pair
            let (a, b) = (Double(values[first]), Double(values[first + half]))
            result[first] = a * cos(angle) - b * sin(angle)
            result[first + half] = b * cos(angle) + a * sin(angle)
          }
        }
      }
      return result
    }
    // Frequencies are 32-bit numbers, as in published models: position 49 multiplies the error
    // 2⁻²⁴.
    #expect(worstUlps(x.rotated(table, positions: positions).values, turned(x.values, 1)) <= 64)
    let dx = workspace.gradients([x], outputGradient: outputGradient) {
      $0[0].rotated(table, positions: positions)
    }[0]
    #expect(worstUlps(dx, turned(outputGradient, -1)) <= 64)
  }

  @Test(arguments: [(1, 1, 1), (3, 17, 5), (16, 16, 16), (7, 40, 33), (2, 0, 3), (0, 4, 4)])
  func products(rows: Int, inputs: Int, outputs: Int) {
    let x = workspace.probe([rows, inputs], 1)
    let w = workspace.probe([outputs, inputs], 2)
    let y = x.linear(weight: w, order: .outputsByInputs)
    var expected: [Double] = []
    for row in 0..<rows {
      for output in 0..<outputs {
        expected.append(
          (0..<inputs).reduce(0.0) {
            $0 + Double(x.values[row * inputs + $1]) * Double(w.values[output * inputs + $1])
          })
      }
    }
    #expect(worstUlps(y.values, expected) <= 16)
  }

  /// The bits of an element do not depend on its position in a buffer, so work can be divided
  /// anywhere.
  @Test func bitsOfAnElementDoNotDependOnItsPosition() {
    let size = 40
    let a = workspace.probe([size], 1)
    let b = workspace.probe([size], 2)
    let d = workspace.probe([size], 3)
    let operations: [(String, ([Tensor]) -> Tensor)] = [
      ("product", { $0[0] * $0[1] }), ("gelu", { $0[0].gelu() }),
      ("exact gelu", { $0[0].gelu(.exact) }), ("tanh", { $0[0].tanh() }),
      ("swiGLU", { $0[0].swiGLU($0[1]) }), ("square", { $0[0] * $0[0] + $0[0] }),
    ]
    for (name, operation) in operations {
      let whole = operation([a, b]).values
      let dwhole = workspace.gradients([a, b], outputGradient: d.values, operation)
      for start in stride(from: 0, to: size, by: 3) {
        for end in stride(from: start + 1, through: size, by: 7) {
          let part = [a[rows: start..<end], b[rows: start..<end]]
          #expect(operation(part).values == Array(whole[start..<end]), "\(name) \(start)..<\(end)")
          let dpart = workspace.gradients(
            part, outputGradient: Array(d.values[start..<end]), operation)
          #expect(
            dpart == dwhole.map { Array($0[start..<end]) }, "∂\(name) \(start)..<\(end)")
        }
      }
    }
  }
}
