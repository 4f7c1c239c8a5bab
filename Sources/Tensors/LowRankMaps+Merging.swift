extension ParameterLayout {
  /// Makes `weights` those of a network without low-rank maps that computes what this one does:
  /// W + scale·B·A for every map, and a copy of what was trained whole.
  ///
  /// What was trained whole and is not in `whole` is left out.
  ///
  /// - Parameters:
  ///   - values: The trainable parameters, of this layout.
  ///   - weights: The weights that the maps were trained beside.
  ///   - whole: The layout of `weights`.
  public func merge(_ values: FlatBuffer, into weights: FlatBuffer, of whole: ParameterLayout) {
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
    for map in lowRank?.maps ?? [] {
      let (downName, upName) = (LowRankMaps.downName(map.name), LowRankMaps.upName(map.name))
      guard let down = own[downName], let up = own[upName],
        let weight = destinations["\(map.name).weight"], let scale = lowRank?.lora.scale
      else { preconditionFailure("\(map.name) has no weight to merge into") }
      adapted.formUnion([downName, upName])
      let (rank, inputs, outputs) = (down.shape[0], down.shape[1], up.shape[0])
      let byOutputs = map.order == .outputsByInputs
      precondition(
        weight.shape == (byOutputs ? [outputs, inputs] : [inputs, outputs]),
        "\(weight.name) is \(weight.shape), its map \(inputs) → \(outputs)")
      let scaled = (0..<up.range.count).map { from[up.range.lowerBound + $0] * scale }
      let a = Matrix(
        from + down.range.lowerBound, pitch: inputs, transposed: !byOutputs)
      let c = MatrixDestination(to + weight.range.lowerBound, pitch: weight.shape[1])
      scaled.withUnsafeBufferPointer { scaled in
        guard let base = scaled.baseAddress else { return }
        let b = Matrix(base, pitch: rank, transposed: !byOutputs)
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
