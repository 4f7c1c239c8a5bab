import Testing

@testable import Tensors

/// In a batch-invariant workspace the bits of a row do not depend on the other rows.
@Suite struct BatchInvarianceTests {
  private func workspace(_ precision: Precision) -> Workspace {
    Workspace(precision: precision, isBatchInvariant: true)
  }

  /// Parts of a batch with sizes as in generation and training, across the bounds of tiles and
  /// panels.
  @Test(arguments: Precision.allCases, [WeightOrder.inputsByOutputs, .outputsByInputs])
  func linearRowsDoNotDependOnTheBatch(precision: Precision, order: WeightOrder) {
    let workspace = workspace(precision)
    let (inputs, outputs, rank, rows) = (70, 301, 3, 450)
    let weight = workspace.probe(
      order == .inputsByOutputs ? [inputs, outputs] : [outputs, inputs], 1)
    let bias = workspace.probe([outputs], 2)
    let x = workspace.probe([rows, inputs], 3)
    let (inner, outer) = (workspace.probe([rows, rank], 4), workspace.probe([outputs, rank], 5))
    for fp32Output in [false, true] {
      let layer = { (range: Range<Int>) in
        x[rows: range].linear(
          weight: weight, order: order, bias: bias, plus: (inner[rows: range], outer),
          fp32Output: fp32Output
        ).values
      }
      let all = layer(0..<rows)
      for part in [0..<1, 5..<6, 7..<9, 11..<30, 47..<95, 96..<146, 190..<390, 449..<450] {
        #expect(
          layer(part) == Array(all[part.lowerBound * outputs..<part.upperBound * outputs]),
          "rows \(part)")
      }
    }
  }

  @Test(arguments: Precision.allCases)
  func logProbabilitiesDoNotDependOnTheBatch(precision: Precision) {
    let workspace = workspace(precision)
    let (rows, width, vocabulary) = (300, 40, 131)
    let x = workspace.probe([rows, width], 1)
    let head = workspace.probe([vocabulary, width], 2)
    let targets = (0..<rows).map { Int32($0 * 7 % vocabulary) }
    let all = workspace.recording {
      x.differentiable.logProbabilities(head: head, targets: targets, temperature: 0.7)
    }.chosen.values
    for part in [0..<1, 3..<7, 100..<148, 200..<300] {
      let own = x[rows: part].logProbabilities(
        head: head, targets: Array(targets[part]), temperature: 0.7)
      #expect(own.chosen.values == Array(all[part]), "rows \(part)")
    }
  }

  /// Head sizes smaller than a vector, and larger than the kernel keeps in registers.
  @Test(arguments: Precision.allCases, [3, 16, 72])
  func cachedAttentionHasTheBitsOfFullAttention(precision: Precision, dim: Int) {
    let workspace = workspace(precision)
    let (sequences, length, heads, keyHeads) = (2, 150, 4, 2)
    let tensor = { (heads: Int, tag: Int) in
      workspace.probe([sequences * length, heads * dim], tag).operand
    }
    let (q, k, v) = (tensor(heads, 1), tensor(keyHeads, 2), tensor(keyHeads, 3))
    let whole = q.attention(
      keys: k, values: v, sequences: sequences, heads: heads, keyHeads: keyHeads
    ).values
    let cache = KVCache(
      sequences: sequences, capacity: length + 5, width: keyHeads * dim, in: workspace)
    let part = { (values: [Float], columns: Int, range: Range<Int>) -> [Float] in
      (0..<sequences).flatMap { sequence in
        let first = (sequence * length + range.lowerBound) * columns
        return Array(values[first..<first + range.count * columns])
      }
    }
    let rows = { (x: Tensor, range: Range<Int>) in
      Tensor(
        part(x.values, x.columns, range), shape: [sequences * range.count, x.columns],
        in: workspace
      ).operand
    }
    var start = 0
    for new in [1, 30, 1, 1, 70] + Array(repeating: 1, count: length - 103) {
      let range = start..<start + new
      cache.append(keys: rows(k, range), values: rows(v, range))
      let y = rows(q, range).attention(over: cache, heads: heads, keyHeads: keyHeads)
      #expect(y.values == part(whole, heads * dim, range), "positions \(range)")
      start += new
    }
    #expect(start == length)
  }
}
