// `layer_types` of `config.json`: for every block, the positions to which it attends.

/// The names of the key and of its values.
enum LayerTypes {
  static let key = "layer_types"
  /// A block that attends to the last positions, and one that attends to all earlier ones.
  static let (local, global) = ("sliding_attention", "full_attention")

  /// The list of a model with these local blocks.
  static func list(_ isLocal: [Bool]) -> ConfigurationValue {
    .list(isLocal.map { .text($0 ? local : global) })
  }
}

extension ConfigurationFields {
  /// Returns for every block whether it is local; nil when the key is absent.
  func layerTypes(count: Int) throws(ModelError) -> [Bool]? {
    guard has(LayerTypes.key) else { return nil }
    let types = try texts(LayerTypes.key).map { $0 == "attention" ? LayerTypes.global : $0 }
    if let other = types.first(where: { $0 != LayerTypes.local && $0 != LayerTypes.global }) {
      throw .unsupported(
        path: path, key: LayerTypes.key, value: other,
        supported: "\(LayerTypes.global), \(LayerTypes.local)")
    }
    guard types.count == count else {
      throw .badConfiguration(
        path: path, reason: "\(LayerTypes.key) has \(types.count) items for \(count) layers")
    }
    return types.map { $0 == LayerTypes.local }
  }
}
