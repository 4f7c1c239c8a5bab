/// The format that records with unknown fields most probably have.
extension RecordFormat {
  /// Other names of the fields, as data sets have them.
  private static let synonyms: [String: Set<String>] = [
    "answer": ["reply", "response"],
    "chosen": ["accepted", "better", "good", "positive", "preferred", "winner"],
    "completion": ["answer", "assistant", "output", "reply", "summary", "target"],
    "label": ["category", "class", "intent", "labels", "rating", "score", "sentiment", "stars"],
    "messages": ["chat", "conversation", "dialog", "dialogue", "turns"],
    "prompt": ["human", "input", "instruction", "query", "user"],
    "rejected": ["bad", "loser", "negative", "worse"],
    "tags": ["labels", "ner_tags", "pos_tags"],
    "text": [
      "article", "body", "comment", "content", "description", "document", "review", "sentence",
      "tweet",
    ],
    "tokens": ["words"],
  ]

  /// The largest number of fields that are compared with those of formats.
  private static let mostNames = 1000

  /// Returns the format that is most similar to the fields `names` and the fields that it lacks, as a
  /// phrase; nil when none is similar.
  static func nearest(to names: [String]) -> String? {
    guard let format = format(nearestTo: names) else { return nil }
    let lacks = format.fields.filter { !names.contains($0) }.map { field in
      let near = similarity(of: field, to: names).name
      return quoted([field]) + (near.map { " (it has \(quoted([$0])))" } ?? "")
    }
    return "nearest to \(format.name), but lacks \(lacks.joined(separator: " and "))"
  }

  /// Returns the key `data.fields` that reads records with the fields `names` in the nearest format, or
  /// as labelled texts; nil when they have too few fields.
  static func mapping(of names: [String]) -> String? {
    if names.count > mostNames { return nil }
    let texts = all.first { $0.fields == ["text", "label"] }
    guard let format = format(nearestTo: names) ?? texts else { return nil }
    var free = names.filter { !format.fields.contains($0) }
    let lacking = format.fields.filter { !names.contains($0) }
    var pairs: [String: String] = [:]
    for field in lacking {
      guard let name = similarity(of: field, to: free).name else { continue }
      pairs[field] = name
      free.removeAll { $0 == name }
    }
    free.removeAll(where: FieldMeaning.isMetadata)
    for field in lacking where pairs[field] == nil {
      guard !free.isEmpty else { return nil }
      pairs[field] = free.removeFirst()
    }
    let map = lacking.map { "\($0): \(pairs[$0] ?? "")" }.joined(separator: ", ")
    return "data.fields: {\(map)} for \(format.name)"
  }

  private static func format(nearestTo names: [String]) -> RecordFormat? {
    // A table of features is no record, and comparing so many names takes long.
    if names.count > mostNames { return nil }
    var best: (format: RecordFormat, likeness: Double)?
    for format in all {
      let sum = format.fields.reduce(0.0) { $0 + similarity(of: $1, to: names).value }
      let likeness = sum / Double(format.fields.count)
      if likeness > (best?.likeness ?? 0) { best = (format, likeness) }
    }
    return best?.format
  }

  /// Returns the similarity of `field` to the most similar of `names`: 1 if equal, 3/4 if they mean the
  /// same, 1/2 if at most two letters differ, else 0.
  private static func similarity(of field: String, to names: [String]) -> (
    value: Double, name: String?
  ) {
    if names.contains(field) { return (1, nil) }
    if let same = names.first(where: { synonyms[field]?.contains($0.lowercased()) == true }) {
      return (0.75, same)
    }
    let near = names.first { distance(from: $0.lowercased(), to: field) <= 2 }
    return (near == nil ? 0 : 0.5, near)
  }

  /// Returns the Levenshtein distance: the number of letters to insert, delete or replace.
  private static func distance(from a: String, to b: String) -> Int {
    let b = Array(b)
    var row = Array(0...b.count)
    for (i, letter) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let least = min(row[j], row[j + 1]) + 1
        (diagonal, row[j + 1]) = (row[j + 1], min(least, diagonal + (letter == b[j] ? 0 : 1)))
      }
    }
    return row[b.count]
  }
}
