import CKernels

extension Tensor {
  /// The element-wise sum of tensors of the same shape; both gradients equal that of the result.
  package static func + (a: Tensor, b: Tensor) -> Tensor {
    requireSameShape(a, b, "+")
    let y = Tensor(uninitialized: a.shape, in: a.workspace)
    let (sum, left, right) = (y.pointer, a.pointer, b.pointer)
    y.workspace.forEachPart(y.count) {
      apus_add(
        sum + $0.lowerBound, left + $0.lowerBound, right + $0.lowerBound, $0.count)
    }
    let (da, db) = (a.gradientPlace, b.gradientPlace)
    return y.recorded(from: a, b) { dy in
      da.accumulate(adopting: dy)
      db.accumulate(adopting: dy)
    }
  }

  /// The element-wise difference of tensors of the same shape.
  package static func - (a: Tensor, b: Tensor) -> Tensor {
    requireSameShape(a, b, "-")
    let y = Tensor(uninitialized: a.shape, in: a.workspace)
    apus_subtract(y.pointer, a.pointer, b.pointer, y.count)
    let (aPlace, bPlace) = (a.gradientPlace, b.gradientPlace)
    return y.recorded(from: a, b) { dy in
      aPlace.accumulate(adopting: dy)
      bPlace.accumulate { db, adds in apus_scale(db, dy.pointer, -1, dy.count, adds) }
    }
  }

  /// The element-wise product of tensors of the same shape: d(ab) = b·da + a·db.
  package static func * (a: Tensor, b: Tensor) -> Tensor {
    requireSameShape(a, b, "*")
    let y = Tensor(uninitialized: a.shape, in: a.workspace)
    apus_multiply(y.pointer, a.pointer, b.pointer, y.count, false)
    return y.recorded(from: a, b) { dy in
      a.accumulate { da, adds in apus_multiply(da, dy.pointer, b.pointer, dy.count, adds) }
      b.accumulate { db, adds in apus_multiply(db, dy.pointer, a.pointer, dy.count, adds) }
    }
  }

  /// The product of every element with `factor`.
  package static func * (x: Tensor, factor: Float) -> Tensor {
    let y = Tensor(uninitialized: x.shape, in: x.workspace)
    apus_scale(y.pointer, x.pointer, factor, y.count, false)
    let place = x.gradientPlace
    return y.recorded(from: x) { dy in
      place.accumulate { dx, adds in apus_scale(dx, dy.pointer, factor, dy.count, adds) }
    }
  }

  static func requireSameShape(_ a: Tensor, _ b: Tensor, _ operation: StaticString) {
    precondition(a.shape == b.shape, "\(operation): shapes \(a.shape) and \(b.shape) differ")
  }
}

extension Tensor {
  /// Returns a view of the elements in another shape.
  package func reshaped(_ shape: [Int]) -> Tensor {
    precondition(
      shape.reduce(1, *) == count, "reshape of \(self.shape) to \(shape): different counts")
    let view = Tensor(shape: shape, type: type, storage: storage, offset: offset)
    let place = gradientPlace
    return view.recorded(from: self) { dy in place.accumulate(adopting: dy) }
  }

  /// A view of the slices `range` of the first dimension; the gradient of the other slices is zero.
  package subscript(rows range: Range<Int>) -> Tensor {
    precondition(
      !shape.isEmpty && range.lowerBound >= 0 && range.upperBound <= shape[0],
      "rows \(range) of shape \(shape)")
    let width = shape.dropFirst().reduce(1, *)
    let start = range.lowerBound * width
    let view = Tensor(
      shape: [range.count] + shape.dropFirst(), type: type, storage: storage,
      offset: offset + start)
    let (place, count) = (gradientPlace, count)
    return view.recorded(from: self) { dy in
      place.accumulate { dx, adds in
        if !adds { dx.update(repeating: 0, count: count) }
        apus_add(dx + start, dx + start, dy.pointer, dy.count)
      }
    }
  }
}
