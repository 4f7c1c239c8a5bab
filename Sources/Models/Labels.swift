/// The class labels in `config.json`.
enum Labels {
  /// Refuses an empty list of labels and duplicate labels.
  static func check(_ labels: [String]) throws(ModelError) {
    guard !labels.isEmpty, Set(labels).count == labels.count else {
      throw .inconsistent(
        "The labels (\(labels.joined(separator: ", "))) are empty or contain duplicates: give "
          + "every class a name of its own.")
    }
  }

  /// Returns Hugging Face's keys for `labels`.
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
  /// Returns the class labels; without `id2label`, Hugging Face's defaults `LABEL_0`, `LABEL_1`, ….
  func labels() throws(ModelError) -> [String] {
    guard case .map(let names)? = values["id2label"] else {
      let count = try size("num_labels", atMost: ModelLimits.vocabulary, default: 2)
      return (0..<count).map { "LABEL_\($0)" }
    }
    var labels: [String] = []
    for index in 0..<names.count {
      guard case .text(let name)? = names["\(index)"] else {
        throw .badConfiguration(
          path: path, reason: "id2label has \(names.count) labels and none for class \(index)")
      }
      labels.append(name)
    }
    return labels
  }
}
