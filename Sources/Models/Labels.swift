/// Names of classes in `config.json`.
enum Labels {
  /// Refuses names that do not tell classes apart.
  static func check(_ labels: [String]) throws(ModelError) {
    guard !labels.isEmpty, Set(labels).count == labels.count else {
      throw .inconsistent(
        "The labels \(labels.joined(separator: ", ")) do not tell classes apart: give each a name "
          + "of its own.")
    }
  }

  /// Hugging Face's keys for `labels`.
  static func keys(_ labels: [String]) -> [String: ConfigurationValue] {
    let pairs = labels.enumerated()
    return [
      "num_labels": .integer(labels.count),
      "id2label": .map(
        Dictionary(uniqueKeysWithValues: pairs.map { ("\($0.offset)", .text($0.element)) })),
      "label2id": .map(
        Dictionary(uniqueKeysWithValues: pairs.map { ($0.element, .integer($0.offset)) })),
    ]
  }
}

extension ConfigurationFields {
  /// The names of the classes; without names they are called as Hugging Face calls them.
  func labels() throws(ModelError) -> [String] {
    guard case .map(let names)? = values["id2label"] else {
      let count = try size("num_labels", atMost: ModelLimits.vocabulary, default: 2)
      return (0..<count).map { "LABEL_\($0)" }
    }
    var labels: [String] = []
    for index in 0..<names.count {
      guard case .text(let name)? = names["\(index)"] else {
        throw .badConfiguration(
          path: path, reason: "id2label names no class \(index), where there are \(names.count)")
      }
      labels.append(name)
    }
    return labels
  }
}

extension ModelConfiguration {
  /// The architecture of the family's network with another head, such as `ForSequenceClassification`.
  func architecture(suffix: String) -> String {
    guard case .list(let names)? = json["architectures"], case .text(let name)? = names.first
    else { return suffix }
    let family = ["ForCausalLM", "LMHeadModel", "ForMaskedLM"].first(where: name.hasSuffix) ?? ""
    return name.dropLast(family.count) + suffix
  }
}
