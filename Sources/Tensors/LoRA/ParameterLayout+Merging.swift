extension ParameterLayout {
  /// Merges the adapters into `weights`, so that a network without adapters computes the same:
  /// W + scale·B·A for every adapter, and a copy of the parameters that were trained in full.
  ///
  /// Parameters that were trained in full and are not in `whole` are left out.
  ///
  /// - Parameters:
  ///   - values: The trainable parameters, in this layout.
  ///   - weights: The base weights that the adapters were trained for.
  ///   - whole: The layout of `weights`.
  package func merge(_ values: FlatBuffer, into weights: FlatBuffer, of whole: ParameterLayout) {
    precondition(
      values.elements.count == count && weights.elements.count == whole.count,
      "buffers of \(values.elements.count) and \(weights.elements.count) for layouts of \(count) "
        + "and \(whole.count)")
    guard let from = values.elements.baseAddress, let to = weights.elements.baseAddress else {
      return
    }
    let own = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) })
    let destinations = Dictionary(uniqueKeysWithValues: whole.entries.map { ($0.name, $0) })
    let workspace = Workspace()
    var adapted: Set<String> = []
    for adapter in lora?.adapters ?? [] {
      let (downName, upName) = (LoRALayout.downName(adapter.name), LoRALayout.upName(adapter.name))
      guard let down = own[downName], let up = own[upName],
        let weight = destinations["\(adapter.name).weight"], let scale = lora?.configuration.scale
      else { preconditionFailure("\(adapter.name) has no weight to merge into") }
      adapted.formUnion([downName, upName])
      let (rank, inputs, outputs) = (down.shape[0], down.shape[1], up.shape[0])
      let byOutputs = adapter.order == .outputsByInputs
      precondition(
        weight.shape == (byOutputs ? [outputs, inputs] : [inputs, outputs]),
        "\(weight.name) is \(weight.shape), its adapter \(inputs) → \(outputs)")
      let scaled = (0..<up.range.count).map { from[up.range.lowerBound + $0] * scale }
      let a = Matrix(
        from + down.range.lowerBound, rowStride: inputs, transposed: !byOutputs)
      let c = MatrixDestination(to + weight.range.lowerBound, rowStride: weight.shape[1])
      scaled.withUnsafeBufferPointer { scaled in
        guard let base = scaled.baseAddress else { return }
        let b = Matrix(base, rowStride: rank, transposed: !byOutputs)
        workspace.multiply(
          byOutputs ? b : a, byOutputs ? a : b, into: c, m: weight.shape[0], n: weight.shape[1],
          k: rank, adds: true)
      }
    }
    for entry in entries where !adapted.contains(entry.name) {
      guard let destination = destinations[entry.name] else { continue }
      precondition(
        destination.shape == entry.shape,
        "\(entry.name) is \(entry.shape) and goes to \(destination.shape)")
      (to + destination.range.lowerBound).update(
        from: from + entry.range.lowerBound, count: entry.range.count)
    }
  }
}
