import CKernels

/// The product of rows x with an output head.
///
/// The logits are the largest array of a step. They are stored in full only when the backward pass
/// needs an array of their size, and then only once.
struct HeadProduct {
  private let x: Tensor
  private let w: Tensor
  private let bias: Tensor?
  private let dx: GradientPlace
  private let dw: GradientPlace

  /// The product x·headᵀ + bias with `x` [rows, width], `head` [vocabulary, width] and `bias`
  /// [vocabulary].
  init(of x: Tensor, _ head: Tensor, _ bias: Tensor? = nil) {
    precondition(
      bias.map { $0.count == head.rows } ?? true, "a bias \(bias?.shape ?? []) to \(head.shape)")
    (self.x, w, dx, dw) = (x.operand, head.operand, x.gradientPlace, head.gradientPlace)
    self.bias = bias
  }

  /// Computes the logits in blocks of rows and calls `finish` with each block, spread over the
  /// team.
  ///
  /// - Parameters:
  ///   - isWholeOnTape: True to compute logits that are kept in fp32 by one product of all rows.
  ///     This is fastest, but their last bits differ from those of logits that are not kept.
  ///   - finish: Receives the logits of a range of rows and whether they are kept. It may overwrite
  ///     them, for example by a gradient; the overwritten values are kept.
  /// - Returns: The values that `finish` left, [rows, vocabulary], in the operand type of products;
  ///   no rows unless the product is recorded.
  func logits(
    isWholeOnTape: Bool,
    _ finish: (_ logits: UnsafeMutablePointer<Float>, _ rows: Range<Int>, _ isKept: Bool) -> Void
  ) -> Tensor {
    let workspace = x.workspace
    let (rows, width, vocabulary) = (x.rows, x.columns, w.shape[0])
    let isKept = workspace.isRecording && (dx.variable != nil || dw.variable != nil)
    let kept = Tensor(uninitialized: [isKept ? rows : 0, vocabulary], type: x.type, in: workspace)
    // Logits that are kept in fp32 are computed in place. Otherwise chunks of rows are computed in
    // scratch memory; a chunk has enough rows that packing the head takes a small fraction of the
    // product's time.
    let isInPlace = isKept && kept.type == .float32
    let chunk = isInPlace && isWholeOnTape ? max(1, rows) : 256
    for start in stride(from: 0, to: rows, by: chunk) {
      let count = min(chunk, rows - start)
      workspace.withScratch(isInPlace ? 0 : count * vocabulary) { scratch in
        let logits = isInPlace ? kept.pointer + start * vocabulary : scratch
        workspace.multiply(
          Matrix(x).from(row: start), Matrix(w, transposed: true),
          into: MatrixDestination(logits, rowStride: vocabulary), m: count, n: vocabulary, k: width,
          bias: bias?.pointer, ascending: workspace.isBatchInvariant)
        workspace.forEachPart(count, cost: vocabulary) { part in
          let first = start + part.lowerBound
          let own = logits + part.lowerBound * vocabulary
          finish(own, first..<first + part.count, isKept)
          if isKept && !isInPlace {
            apus_round_bf16(kept.bf16 + first * vocabulary, own, part.count * vocabulary)
          }
        }
      }
    }
    return kept
  }

  /// Accumulates the gradients, given the gradient with respect to the logits: dW = dlogitsᵀ·x,
  /// dx = dlogits·W, dbias = Σ rows of dlogits.
  func accumulate(_ dlogits: Tensor) {
    let workspace = x.workspace
    let (rows, width, vocabulary) = (x.rows, x.columns, dlogits.columns)
    bias?.accumulate { dbias, adds in
      if !adds { dbias.update(repeating: 0, count: vocabulary) }
      for row in 0..<rows {
        dlogits.reading(row..<row + 1) { apus_add(dbias, dbias, $0, vocabulary) }
      }
    }
    dw.accumulate { dw, adds in
      workspace.multiply(
        Matrix(dlogits, transposed: true), Matrix(x), into: MatrixDestination(dw, rowStride: width),
        m: vocabulary, n: width, k: rows, adds: adds)
    }
    dx.accumulate { dx, adds in
      workspace.multiply(
        Matrix(dlogits), Matrix(w), into: MatrixDestination(dx, rowStride: width), m: rows,
        n: width,
        k: vocabulary, adds: adds)
    }
  }
}

extension HeadProduct {
  /// Checks the arguments of a loss with a head.
  static func require(
    _ x: Tensor, _ head: Tensor, _ targets: [Int32], _ weights: [Float]?,
    _ operation: StaticString
  ) {
    let vocabulary = head.shape.first ?? 0
    precondition(
      head.shape == [vocabulary, x.columns] && targets.count == x.rows
        && weights.map { $0.count == x.rows } ?? true,
      "\(operation): \(targets.count) targets for \(x.shape) and a head of \(head.shape)")
    for row in 0..<x.rows where weights.map({ $0[row] != 0 }) ?? true {
      precondition(
        targets[row] >= 0 && Int(targets[row]) < vocabulary,
        "\(operation): target \(targets[row]) outside 0..<\(vocabulary)")
    }
  }

  /// Calls `body` with pointers to the targets and weights of `rows`.
  static func withUnsafe(
    _ targets: [Int32], _ weights: [Float]?, of rows: Range<Int>,
    _ body: (_ targets: UnsafePointer<Int32>, _ weights: UnsafePointer<Float>?) -> Void
  ) {
    targets.withUnsafeBufferPointer { targets in
      guard let targets = targets.baseAddress else { return }
      guard let weights else { return body(targets + rows.lowerBound, nil) }
      weights.withUnsafeBufferPointer { weights in
        body(targets + rows.lowerBound, weights.baseAddress.map { $0 + rows.lowerBound })
      }
    }
  }
}
