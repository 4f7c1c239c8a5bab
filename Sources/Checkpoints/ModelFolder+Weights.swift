import Models
import Tensors

extension ModelFolder {
  /// Reads the weights of `network` from this folder into a new buffer; LoRA adapters are merged
  /// into the weights of their base model.
  ///
  /// `network` is the folder's own or a part of it, such as the backbone below a head: adapters are
  /// those of the whole network, and what they train outside the part is left out.
  ///
  /// - Throws: `CheckpointError.damaged` if a weight is not finite, `CheckpointError.changedBase`
  ///   if the base model's weights have changed, `CheckpointError.otherModel` if tensors are
  ///   missing.
  func weights(of network: any NetworkConfiguration) throws -> NamedWeights {
    let layout = network.layout
    guard case .adapter(let adapter, let base, let digest) = contents else {
      return try ModelFiles.readAll(folder: path, layout: layout)
        .checked(in: "\(path)/\(weightsName)")
    }
    let found = try base.weightsDigest()
    if let digest, digest != found {
      throw CheckpointError.changedBase(
        path: path, base: base.path, expected: digest, found: found)
    }
    let layouts = try self.network.layout(try adapter.lora(in: self.network.layout))
    let trainable = layouts.trainable
    let trained = try ModelFiles.read(folder: path, layout: trainable)
    let values = FlatBuffer(count: layout.count)
    let missing = Set(
      try base.copyWeights(
        of: base.baseNetwork(for: layouts.frozen), into: values, of: layout)
    ).subtracting(trainable.entries.map(\.name))
    guard missing.isEmpty else {
      throw CheckpointError.otherModel(
        path: base.path, faults: missing.sorted().map { "\($0) is missing" })
    }
    trainable.merge(trained, into: values, of: layout)
    return try NamedWeights(layout: layout, values: values)
      .checked(in: "\(path)/\(weightsName)")
  }

  /// Reads the weights of the folder's network.
  func weights() throws -> NamedWeights {
    try weights(of: network)
  }
}

extension ModelFolder {
  /// Reads the weights of the folder's network as frozen parameters.
  package func frozen(precision: Precision) throws -> FrozenParameters {
    let weights = try weights()
    return FrozenParameters(layout: weights.layout, values: weights.values, precision: precision)
  }

  /// Copies the weights that `layout` has in common with the folder's network, of any kind, by name
  /// and shape; the rest of `values` is unchanged.
  ///
  /// - Returns: The names of the parameters that the network lacks.
  package func copyWeights(into values: FlatBuffer, of layout: ParameterLayout) throws -> [String] {
    try copyWeights(of: network, into: values, of: layout)
  }

  /// Copies the weights that `layout` has in common with `network`, straight from the files unless
  /// adapters have to be merged.
  private func copyWeights(
    of network: any NetworkConfiguration, into values: FlatBuffer, of layout: ParameterLayout
  ) throws -> [String] {
    guard case .adapter = contents else {
      return try FoundTensors(of: network.layout, in: path)
        .copy(into: values, of: layout, file: "\(path)/\(weightsName)")
    }
    return try weights(of: network).copy(into: values, of: layout)
  }
}

/// Weights with their layout, for access by name.
struct NamedWeights {
  let layout: ParameterLayout
  let values: FlatBuffer
  /// The element types of tensors in the files that are not F32, by parameter name.
  var types: [String: SafeTensor.DType] = [:]
  /// Names of tensors in the files that belong to no parameter.
  var unused: [String] = []

  /// Returns a note about the unused tensors of the folder at `path`, if there are any.
  func notes(_ path: String) -> [String] { Self.notes(path, unused: unused) }

  /// Returns a note about the tensors `unused` of the folder at `path`, if there are any.
  static func notes(_ path: String, unused: [String]) -> [String] {
    guard !unused.isEmpty else { return [] }
    let names = unused.prefix(5).joined(separator: ", ")
    let rest = unused.count > 5 ? " and \(unused.count - 5) more" : ""
    return ["\(path) holds \(names)\(rest), which \(unused.count == 1 ? "is" : "are") not used."]
  }

  /// Copies the weights that `layout` has in common with these, as
  /// ``ParameterLayout/shared(with:)`` pairs them.
  ///
  /// - Returns: The names of the parameters that are missing here; their values are unchanged.
  func copy(into destination: FlatBuffer, of layout: ParameterLayout) -> [String] {
    let (pairs, missing) = self.layout.shared(with: layout)
    for (source, entry) in pairs {
      _ = UnsafeMutableBufferPointer(rebasing: destination.elements[entry.range])
        .update(fromContentsOf: values.elements[source.range])
    }
    return missing
  }

  /// Rounds all weights to the nearest numbers of `type`.
  ///
  /// - Throws: `CheckpointError.outOfRange` for a weight beyond the numbers of `type`.
  mutating func round(to type: SafeTensor.DType, in path: String) throws(CheckpointError) {
    types = [:]
    guard type != .f32 else { return }
    for entry in layout.entries {
      for index in entry.range {
        let rounded = type.rounded(values.elements[index])
        guard rounded.isFinite else {
          throw .outOfRange(
            path: path, name: entry.name, value: values.elements[index], type: type.torchName)
        }
        values.elements[index] = rounded
      }
      types[entry.name] = type
    }
  }

  /// Returns these weights if all are finite; `file` is for the error message.
  func checked(in file: String) throws(CheckpointError) -> NamedWeights {
    for entry in layout.entries { try values.requireFinite(entry, in: file) }
    return self
  }
}

extension ParameterLayout {
  /// Pairs the parameters of `other` with those here of the same name and shape; a head of its own
  /// is paired with the token embedding to which the head is tied here.
  ///
  /// - Returns: The pairs, and the names of the parameters of `other` that are missing here.
  func shared(
    with other: ParameterLayout
  ) -> (pairs: [(own: Entry, other: Entry)], missing: [String]) {
    let places = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) })
    let tied = entries.first(where: \.isEmbedding)
    var pairs: [(own: Entry, other: Entry)] = []
    var missing: [String] = []
    for entry in other.entries {
      let own = places[entry.name] ?? (ModelFamilies.headNames.contains(entry.name) ? tied : nil)
      if let own, own.shape == entry.shape {
        pairs.append((own, entry))
      } else {
        missing.append(entry.name)
      }
    }
    return (pairs, missing)
  }
}

extension FlatBuffer {
  /// Throws `CheckpointError.damaged` unless the values of `entry`, read from `file`, are finite.
  func requireFinite(_ entry: ParameterLayout.Entry, in file: String) throws(CheckpointError) {
    guard elements[entry.range].allSatisfy(\.isFinite) else {
      throw .damaged(path: file, reason: "\(entry.name) holds numbers that are not finite")
    }
  }
}
