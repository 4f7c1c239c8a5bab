import Models
import Tensors

extension ModelFolder {
  /// The weights of `network` from this folder, finite, in a buffer of their own; low-rank maps are
  /// merged into their base's.
  func weights(of network: any NetworkConfiguration) throws -> NamedWeights {
    let layout = network.layout
    guard case .adapter(let adapter, let base, let digest) = contents else {
      let (values, unused) = try ModelFiles.readAll(folder: path, layout: layout)
      return try NamedWeights(layout: layout, values: values, unused: unused)
        .checked(in: "\(path)/\(weightsName)")
    }
    let found = try base.weightsDigest()
    if let digest, digest != found {
      throw CheckpointError.changedBase(
        path: path, base: base.path, expected: digest, found: found)
    }
    let layouts = try network.layout(try adapter.lora(in: layout))
    let trained = try ModelFiles.read(folder: path, layout: layouts.trainable)
    let values = FlatBuffer(count: layout.count)
    let missing = Set(try base.weights().copy(into: values, of: layout))
      .intersection(layouts.frozen.entries.map(\.name))
    guard missing.isEmpty else {
      throw CheckpointError.otherModel(
        path: base.path, faults: missing.sorted().map { "\($0) is missing" })
    }
    layouts.trainable.merge(trained, into: values, of: layout)
    return try NamedWeights(layout: layout, values: values)
      .checked(in: "\(path)/\(weightsName)")
  }

  /// The weights of the network that is in this folder.
  func weights() throws -> NamedWeights {
    try weights(of: network)
  }
}

extension AdapterConfiguration {
  /// The low-rank maps beside parameters of `layout`.
  ///
  /// PEFT names every head that it knows, also those of other families.
  func lora(in layout: ParameterLayout) throws -> LoRA {
    var lora = lora
    lora.modulesToSave = try lora.modulesToSave.filter { text in
      let pattern = try ModulePattern(text)
      return layout.entries.contains { pattern.covers(ParameterLayout.module(of: $0.name)) }
    }
    return lora
  }
}

/// Weights that can be had by name.
struct NamedWeights {
  let layout: ParameterLayout
  let values: FlatBuffer
  /// Names of tensors in the files that no parameter has.
  var unused: [String] = []

  /// A sentence that names them, if there are any; they came from the folder at `path`.
  func notes(_ path: String) -> [String] {
    guard !unused.isEmpty else { return [] }
    let names = unused.prefix(5).joined(separator: ", ")
    let rest = unused.count > 5 ? " and \(unused.count - 5) more" : ""
    return ["Of \(path) \(names)\(rest) \(unused.count == 1 ? "is" : "are") not used."]
  }

  /// Copies what `layout` has in common with these, by name and shape.
  ///
  /// - Returns: The names of the parameters that are not here; they are as they were.
  func copy(into destination: FlatBuffer, of layout: ParameterLayout) -> [String] {
    let places = Dictionary(uniqueKeysWithValues: self.layout.entries.map { ($0.name, $0) })
    var missing: [String] = []
    for entry in layout.entries {
      guard let place = places[entry.name], place.shape == entry.shape else {
        missing.append(entry.name)
        continue
      }
      _ = UnsafeMutableBufferPointer(rebasing: destination.elements[entry.range])
        .update(fromContentsOf: values.elements[place.range])
    }
    return missing
  }

  /// These, if all are finite numbers; `file` is for the error.
  func checked(in file: String) throws(CheckpointError) -> NamedWeights {
    for entry in layout.entries where !values.elements[entry.range].allSatisfy(\.isFinite) {
      throw .damaged(
        path: file, reason: "\(entry.name) holds numbers that are not finite")
    }
    return self
  }
}
