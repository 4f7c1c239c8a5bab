import CKernels

extension Tensor {
  /// −weight·log softmax(logits)[target] of every row: [rows, vocabulary] → [rows].
  ///
  /// **Uses up the logits**: their memory holds the probabilities afterwards, and their derivative
  /// in the backward pass, so that the largest array of a step exists once. The logits must not be
  /// read again by anyone.
  ///
  /// - Parameters:
  ///   - targets: One id a row.
  ///   - weights: One factor a row, nil for all 1; a row of weight 0 may have any target.
  public func crossEntropyConsumingLogits(targets: [Int32], weights: [Float]? = nil) -> Tensor {
    let rows = rows
    let vocabulary = columns
    precondition(
      targets.count == rows && weights.map { $0.count == rows } ?? true,
      "crossEntropy: \(targets.count) targets for logits \(shape)")
    for row in 0..<rows where weights.map({ $0[row] != 0 }) ?? true {
      precondition(
        targets[row] >= 0 && Int(targets[row]) < vocabulary,
        "crossEntropy: target \(targets[row]) outside 0..<\(vocabulary)")
    }
    let losses = Tensor(uninitialized: [rows], in: workspace)
    apus_cross_entropy(pointer, losses.pointer, targets, weights, rows, vocabulary)
    let probabilities = detached
    let logits = self
    return losses.recorded(from: logits) { dlosses in
      apus_cross_entropy_backward(
        probabilities.pointer, dlosses.pointer, targets, weights, rows, vocabulary)
      logits.accumulate(adopting: probabilities)
    }
  }

  /// −weight·log softmax(x·headᵀ)[target] of every row x of `self`: [rows, width] → [rows].
  ///
  /// What the backward pass needs, the derivative of the logits, is kept as products read it, and only
  /// while recording; beside it the logits of a fixed number of rows exist, or none.
  ///
  /// - Parameters:
  ///   - head: [vocabulary, width].
  ///   - targets: One id a row.
  ///   - weights: One factor a row, nil for all 1; a row of weight 0 may have any target.
  public func crossEntropy(head: Tensor, targets: [Int32], weights: [Float]? = nil) -> Tensor {
    let (workspace, rows, width) = (workspace, rows, columns)
    let vocabulary = head.shape[0]
    precondition(
      head.shape == [vocabulary, width] && targets.count == rows
        && weights.map { $0.count == rows } ?? true,
      "crossEntropy: \(targets.count) targets for \(shape) and a head of \(head.shape)")
    for row in 0..<rows where weights.map({ $0[row] != 0 }) ?? true {
      precondition(
        targets[row] >= 0 && Int(targets[row]) < vocabulary,
        "crossEntropy: target \(targets[row]) outside 0..<\(vocabulary)")
    }
    let x = operand
    let w = head.operand
    let losses = Tensor(uninitialized: [rows], in: workspace)
    let recorded = workspace.isRecording && (needsGradient || head.needsGradient)
    let slopes = Tensor(
      uninitialized: [recorded ? rows : 0, vocabulary], type: x.type, in: workspace)
    let ones = [Float](repeating: 1, count: rows)
    // fp32 slopes are made where they stay. Others are rounded from a chunk of logits: of as many rows
    // as let the library pack the head for a small share of the product's time.
    let isInPlace = recorded && slopes.type == .float32
    let chunk = isInPlace ? max(1, rows) : 256
    for start in stride(from: 0, to: rows, by: chunk) {
      let count = min(chunk, rows - start)
      workspace.withScratch(isInPlace ? 0 : count * vocabulary) { scratch in
        let logits = isInPlace ? slopes.pointer : scratch
        workspace.multiply(
          Matrix(x).from(row: start), Matrix(w, transposed: true),
          into: MatrixDestination(logits, pitch: vocabulary), m: count, n: vocabulary, k: width)
        workspace.forEachPart(count, cost: vocabulary) { part in
          let first = start + part.lowerBound
          let own = logits + part.lowerBound * vocabulary
          targets.withUnsafeBufferPointer { targets in
            ones.withUnsafeBufferPointer { ones in
              guard let target = targets.baseAddress, let one = ones.baseAddress else { return }
              func finish(_ weight: UnsafePointer<Float>?) {
                apus_cross_entropy(
                  own, losses.pointer + first, target + first, weight, part.count, vocabulary)
                guard recorded else { return }
                apus_cross_entropy_backward(
                  own, one, target + first, weight, part.count, vocabulary)
              }
              if let weights {
                weights.withUnsafeBufferPointer { finish($0.baseAddress.map { $0 + first }) }
              } else {
                finish(nil)
              }
            }
          }
          if recorded && !isInPlace {
            slopes.round(own, at: first * vocabulary, count: part.count * vocabulary)
          }
        }
      }
    }
    let (dxPlace, dwPlace) = (gradientPlace, head.gradientPlace)
    return losses.recorded(from: self, head) { dlosses in
      slopes.scaleRows(by: dlosses)
      dwPlace.accumulate { dw, adds in
        workspace.multiply(
          Matrix(slopes, transposed: true), Matrix(x), into: MatrixDestination(dw, pitch: width),
          m: vocabulary, n: width, k: rows, adds: adds)
      }
      dxPlace.accumulate { dx, adds in
        workspace.multiply(
          Matrix(slopes), Matrix(w), into: MatrixDestination(dx, pitch: width), m: rows, n: width,
          k: vocabulary, adds: adds)
      }
    }
  }

  /// Keeps `count` numbers as bf16 elements from `place` on.
  private func round(_ numbers: UnsafePointer<Float>, at place: Int, count: Int) {
    apus_round_half(half + place, numbers, count)
  }

  /// Multiplies every row by its element of `factors`, in place.
  private func scaleRows(by factors: Tensor) {
    let factors = factors.pointer
    workspace.forEachPart(rows, cost: columns) { part in
      for row in part where factors[row] != 1 {
        reading(row..<row + 1) { from in
          writing(row..<row + 1) { to in apus_scale(to, from, factors[row], columns, false) }
        }
      }
    }
  }
}
