import CKernels
import Testing

@testable import Tensors

/// Products that sum over ascending k: against 64 bits, and the same bits wherever a row or column stands.
@Suite struct FewRowsTests {
  let workspace = Workspace(precision: .bf16)

  enum Way: String, CaseIterable {
    case fp32
    case expanded
    case pairs
  }

  struct Product: Sendable, CustomTestStringConvertible {
    var (m, n, k): (Int, Int, Int)
    var transposed: Bool
    var way: Way
    var testDescription: String {
      "\(m)×\(n)×\(k)\(transposed ? " transposed" : ""), \(way)"
    }
  }

  /// All ways to multiply that the CPU has.
  static let ways = Way.allCases.filter { $0 != .pairs || apus_has_half_products() }

  static let products = [
    (1, 1, 1), (1, 300, 77), (2, 64, 2), (3, 31, 33), (5, 65, 129), (7, 257, 64), (8, 128, 256),
    (12, 320, 31), (13, 48, 131), (23, 17, 1), (31, 130, 40), (48, 333, 70), (70, 100, 95),
    (131, 200, 129),
  ].flatMap { (m, n, k) in
    [false, true].flatMap { transposed in
      ways.map { Product(m: m, n: n, k: k, transposed: transposed, way: $0) }
    }
  }

  /// Rows and columns of A·B (+ `start`), whose rows are `pitch` apart.
  private func multiply(
    _ a: Tensor, _ b: Tensor, _ size: Product, rows: Range<Int>, columns: Range<Int>,
    start: Float? = nil, pitch: Int
  ) -> [Float] {
    var c = [Float](repeating: start ?? .nan, count: rows.count * pitch)
    let room = apus_few_rows_scratch(rows.count, size.k, size.way == .pairs)
    var scratch = [Float](repeating: .nan, count: room)
    let first = columns.lowerBound * (size.transposed ? b.columns : 1)
    if size.way == .fp32 {
      apus_few_single_rows(
        &c, pitch, a.pointer + rows.lowerBound * a.columns, a.columns, b.pointer + first, b.columns,
        size.transposed, rows.count, columns.count, size.k, start != nil, &scratch)
    } else {
      apus_few_rows(
        &c, pitch, a.half + rows.lowerBound * a.columns, a.columns, b.half + first, b.columns,
        size.transposed, rows.count, columns.count, size.k, start != nil, size.way == .pairs,
        &scratch)
    }
    return c
  }

  private func factors(_ size: Product) -> (a: Tensor, b: Tensor) {
    // Padded rows: a pitch is not a width.
    let a = workspace.trial([size.m, size.k + 3], 1)
    let b = workspace.trial(
      size.transposed ? [size.n, size.k + 1] : [size.k, size.n + 5], 2)
    return size.way == .fp32 ? (a, b) : (a.operand, b.operand)
  }

  @Test(arguments: products) func agreesWithFullPrecision(size: Product) {
    let (a, b) = factors(size)
    let (x, y) = (a.values.map(Double.init), b.values.map(Double.init))
    let pitch = size.n + 2
    for start in [nil, 0.75] as [Float?] {
      let c = multiply(
        a, b, size, rows: 0..<size.m, columns: 0..<size.n, start: start, pitch: pitch)
      for row in 0..<size.m {
        for column in 0..<size.n {
          var (sum, largest) = (Double(start ?? 0), Double(start ?? 0))
          for index in 0..<size.k {
            let place =
              size.transposed ? column * b.columns + index : index * b.columns + column
            sum += x[row * a.columns + index] * y[place]
            largest += abs(x[row * a.columns + index] * y[place])
          }
          let error = abs(Double(c[row * pitch + column]) - sum)
          #expect(error <= 1e-6 * largest, "\(row), \(column)")
        }
        // What lies between the rows stays.
        let between = c[row * pitch + size.n..<(row + 1) * pitch]
        #expect(between.allSatisfy { start == nil ? $0.isNaN : $0 == start })
      }
    }
  }

  @Test(arguments: products) func bitsDependOnTheFactorsAlone(size: Product) {
    let (a, b) = factors(size)
    let all = multiply(a, b, size, rows: 0..<size.m, columns: 0..<size.n, pitch: size.n)
    for row in 0..<size.m {
      let alone = multiply(
        a, b, size, rows: row..<row + 1, columns: 0..<size.n, pitch: size.n)
      #expect(alone == Array(all[row * size.n..<(row + 1) * size.n]), "row \(row)")
    }
    for column in Set([1, 15, 63, 64, 100, size.n - 1]) where column < size.n {
      let right = multiply(
        a, b, size, rows: 0..<size.m, columns: column..<size.n, pitch: size.n - column)
      for row in 0..<size.m {
        #expect(
          Array(right[row * (size.n - column)..<(row + 1) * (size.n - column)])
            == Array(all[row * size.n + column..<(row + 1) * size.n]),
          "row \(row) from column \(column) on")
      }
    }
  }

  /// A batch of a layer, as generation calls it: bias and bf16 result in, whatever the batch.
  @Test(arguments: [WeightOrder.inputsByOutputs, .outputsByInputs], [false, true])
  func aRowOfALayerDoesNotKnowItsBatch(order: WeightOrder, precise: Bool) {
    let (inputs, outputs) = (70, 301)
    let weight = workspace.trial(
      order == .inputsByOutputs ? [inputs, outputs] : [outputs, inputs], 1)
    let bias = workspace.trial([outputs], 2)
    let x = workspace.trial([Workspace.fewRows, inputs], 3)
    let layer = { (x: Tensor) in
      x.linear(weight: weight, order: order, bias: bias, precise: precise).values
    }
    let all = layer(x)
    for rows in [0..<1, 5..<6, 7..<9, 11..<30, 47..<48] {
      #expect(
        layer(x[rows: rows]) == Array(all[rows.lowerBound * outputs..<rows.upperBound * outputs]))
    }
  }
}
