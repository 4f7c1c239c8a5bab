import CKernels
import Testing

@testable import Tensors

/// The skinny GEMM against 64-bit products; its bits do not depend on the position of a row or
/// column.
@Suite struct SkinnyGEMMTests {
  let workspace = Workspace(precision: .bf16)

  enum Method: String, CaseIterable {
    case fp32
    case expanded
    case pairs
  }

  struct Product: Sendable, CustomTestStringConvertible {
    var (m, n, k): (Int, Int, Int)
    var transposed: Bool
    var method: Method
    var testDescription: String {
      "\(m)×\(n)×\(k)\(transposed ? " transposed" : ""), \(method)"
    }
  }

  /// The methods that the CPU supports.
  static let methods = Method.allCases.filter { $0 != .pairs || apus_has_bf16_products() }

  static let products = [
    (1, 1, 1), (1, 300, 77), (2, 64, 2), (3, 31, 33), (5, 65, 129), (7, 257, 64), (8, 128, 256),
    (12, 320, 31), (13, 48, 131), (23, 17, 1), (31, 130, 40), (48, 333, 70), (70, 100, 95),
    (131, 200, 129),
  ].flatMap { (m, n, k) in
    [false, true].flatMap { transposed in
      methods.map { Product(m: m, n: n, k: k, transposed: transposed, method: $0) }
    }
  }

  /// Returns the given rows and columns of A·B (+ `start`), with the given row stride.
  private func multiply(
    _ a: Tensor, _ b: Tensor, _ size: Product, rows: Range<Int>, columns: Range<Int>,
    start: Float? = nil, rowStride: Int
  ) -> [Float] {
    var c = [Float](repeating: start ?? .nan, count: rows.count * rowStride)
    let room = apus_skinny_gemm_scratch(rows.count, size.k, size.method == .pairs)
    var scratch = [Float](repeating: .nan, count: room)
    let first = columns.lowerBound * (size.transposed ? b.columns : 1)
    if size.method == .fp32 {
      apus_skinny_gemm_fp32(
        &c, rowStride, a.pointer + rows.lowerBound * a.columns, a.columns, b.pointer + first,
        b.columns,
        size.transposed, rows.count, columns.count, size.k, start != nil, &scratch)
    } else {
      apus_skinny_gemm_bf16(
        &c, rowStride, a.bf16 + rows.lowerBound * a.columns, a.columns, b.bf16 + first, b.columns,
        size.transposed, rows.count, columns.count, size.k, start != nil, size.method == .pairs,
        &scratch)
    }
    return c
  }

  private func factors(_ size: Product) -> (a: Tensor, b: Tensor) {
    // Padded rows: the row stride differs from the width.
    let a = workspace.probe([size.m, size.k + 3], 1)
    let b = workspace.probe(
      size.transposed ? [size.n, size.k + 1] : [size.k, size.n + 5], 2)
    return size.method == .fp32 ? (a, b) : (a.operand, b.operand)
  }

  @Test(arguments: products) func productsAgreeWithDoublePrecision(size: Product) {
    let (a, b) = factors(size)
    let (x, y) = (a.values.map(Double.init), b.values.map(Double.init))
    let rowStride = size.n + 2
    for start in [nil, 0.75] as [Float?] {
      let c = multiply(
        a, b, size, rows: 0..<size.m, columns: 0..<size.n, start: start, rowStride: rowStride)
      for row in 0..<size.m {
        for column in 0..<size.n {
          var (sum, largest) = (Double(start ?? 0), Double(start ?? 0))
          for index in 0..<size.k {
            let place =
              size.transposed ? column * b.columns + index : index * b.columns + column
            sum += x[row * a.columns + index] * y[place]
            largest += abs(x[row * a.columns + index] * y[place])
          }
          let error = abs(Double(c[row * rowStride + column]) - sum)
          #expect(error <= 1e-6 * largest, "\(row), \(column)")
        }
        // The padding between rows is not written.
        let between = c[row * rowStride + size.n..<(row + 1) * rowStride]
        #expect(between.allSatisfy { start == nil ? $0.isNaN : $0 == start })
      }
    }
  }

  @Test(arguments: products) func bitsDependOnTheFactorsAlone(size: Product) {
    let (a, b) = factors(size)
    let all = multiply(a, b, size, rows: 0..<size.m, columns: 0..<size.n, rowStride: size.n)
    for row in 0..<size.m {
      let alone = multiply(
        a, b, size, rows: row..<row + 1, columns: 0..<size.n, rowStride: size.n)
      #expect(alone == Array(all[row * size.n..<(row + 1) * size.n]), "row \(row)")
    }
    for column in Set([1, 15, 63, 64, 100, size.n - 1]) where column < size.n {
      let right = multiply(
        a, b, size, rows: 0..<size.m, columns: column..<size.n, rowStride: size.n - column)
      for row in 0..<size.m {
        #expect(
          Array(right[row * (size.n - column)..<(row + 1) * (size.n - column)])
            == Array(all[row * size.n + column..<(row + 1) * size.n]),
          "row \(row) from column \(column) on")
      }
    }
  }

  /// Rows of a linear layer as in generation, with a bias and an fp32 or bf16 result.
  @Test(arguments: [WeightOrder.inputsByOutputs, .outputsByInputs], [false, true])
  func linearRowsDoNotDependOnTheBatch(order: WeightOrder, fp32Output: Bool) {
    let (inputs, outputs) = (70, 301)
    let weight = workspace.probe(
      order == .inputsByOutputs ? [inputs, outputs] : [outputs, inputs], 1)
    let bias = workspace.probe([outputs], 2)
    let x = workspace.probe([Workspace.skinny, inputs], 3)
    let layer = { (x: Tensor) in
      x.linear(weight: weight, order: order, bias: bias, fp32Output: fp32Output).values
    }
    let all = layer(x)
    for rows in [0..<1, 5..<6, 7..<9, 11..<30, 47..<48] {
      #expect(
        layer(x[rows: rows]) == Array(all[rows.lowerBound * outputs..<rows.upperBound * outputs]))
    }
  }
}
