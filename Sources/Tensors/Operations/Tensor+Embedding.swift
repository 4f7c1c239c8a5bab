import CKernels

extension Tensor {
  /// Returns the rows `ids` of this table [entries, width]: [ids.count, width].
  ///
  /// The backward pass adds each row's gradient to its entry, in the order of the ids.
  package func gather(_ ids: [Int32]) -> Tensor {
    precondition(shape.count == 2, "gather from shape \(shape)")
    let entries = shape[0]
    let width = shape[1]
    precondition(
      ids.allSatisfy { $0 >= 0 && Int($0) < entries }, "gather: an id is outside 0..<\(entries)")
    let y = Tensor(uninitialized: [ids.count, width], in: workspace)
    apus_gather(y.pointer, pointer, ids, ids.count, width)
    let place = gradientPlace
    return y.recorded(from: self, bytes: 2 * y.bytes) { dy in
      place.accumulate { table, adds in
        if !adds { table.update(repeating: 0, count: entries * width) }
        apus_scatter_add(table, dy.pointer, ids, ids.count, width)
      }
    }
  }
}
