import Tokenizers

/// A format of records, recognised by its fields.
struct RecordFormat: Sendable {
  /// The format as a phrase for error sentences.
  let name: String
  /// The required fields.
  let fields: [String]
  /// The optional fields that are read.
  var optionalFields: [String] = []
  /// Returns the record that fields of this format form.
  let record: @Sendable (RecordFields) throws(RecordDefect) -> Record

  /// All formats in the order in which they are tried.
  static let all = [
    // With the prompt in a separate field or inside the answers.
    RecordFormat(
      name: "a preference pair", fields: ["chosen", "rejected"],
      optionalFields: ["prompt", "margin"]
    ) { fields throws(RecordDefect) in .pair(try fields.preference()) },
    // OpenAI's list of messages.
    RecordFormat(name: "a conversation", fields: ["messages"]) { fields throws(RecordDefect) in
      try fields.conversation(fields.required("messages"))
    },
    // ShareGPT's list of messages.
    RecordFormat(name: "a ShareGPT conversation", fields: ["conversations"]) {
      fields throws(RecordDefect) in try fields.conversation(fields.required("conversations"))
    },
    // Stanford Alpaca's instruction, input and output.
    RecordFormat(
      name: "an Alpaca instruction", fields: ["instruction", "output"], optionalFields: ["input"]
    ) { fields throws(RecordDefect) in
      try fields.conversation(fields.alpacaPrompt() + fields.answer("output"))
    },
    answered("prompt", by: "completion", name: "a prompt with its answer"),
    answered("prompt", by: "response", name: "a prompt with its answer"),
    // As in GSM8K.
    answered("question", by: "answer", name: "a question with its answer"),
    RecordFormat(name: "a labelled text", fields: ["text", "label"]) {
      fields throws(RecordDefect) in try fields.labelled()
    },
    RecordFormat(name: "words with tags", fields: ["tokens", "tags"]) {
      fields throws(RecordDefect) in try fields.tagged()
    },
    RecordFormat(name: "a prompt alone", fields: ["prompt"]) { fields throws(RecordDefect) in
      try fields.conversation(fields.prompt("prompt"))
    },
  ]

  private static func answered(
    _ prompt: String, by answer: String, name: String
  ) -> RecordFormat {
    RecordFormat(name: name, fields: [prompt, answer]) { fields throws(RecordDefect) in
      try fields.conversation(fields.prompt(prompt) + fields.answer(answer))
    }
  }

  /// All formats with their fields, for error sentences.
  static var summary: String {
    all.map { format in
      let fields = format.fields.map { quoted([$0]) }.joined(separator: " with ")
      let optional = format.optionalFields.map { quoted([$0]) }.joined(separator: " and ")
      return "\(fields) (\(format.name)\(optional.isEmpty ? "" : ", also with \(optional)"))"
    }.joined(separator: ", ")
  }

  /// Returns the format that is most similar to the fields `names` and the fields that it lacks, as a
  /// phrase; nil when none is similar.
  static func nearest(to names: [String]) -> String? {
    var best: (format: RecordFormat, likeness: Double)?
    for format in all {
      let sum = format.fields.reduce(0.0) { $0 + similarity(of: $1, to: names).value }
      let likeness = sum / Double(format.fields.count)
      if likeness > (best?.likeness ?? 0) { best = (format, likeness) }
    }
    guard let format = best?.format else { return nil }
    let lacks = format.fields.filter { !names.contains($0) }.map { field in
      let near = similarity(of: field, to: names).name
      return quoted([field]) + (near.map { " (it has \(quoted([$0])))" } ?? "")
    }
    return "nearest to \(format.name), but lacks \(lacks.joined(separator: " and "))"
  }

  /// Returns the similarity of `field` to the most similar of `names`: 1 if equal, 1/2 if at most two
  /// letters differ, else 0.
  private static func similarity(of field: String, to names: [String]) -> (
    value: Double, name: String?
  ) {
    if names.contains(field) { return (1, nil) }
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

  static func quoted(_ names: [String]) -> String {
    names.map { "\"\($0)\"" }.joined(separator: ", ")
  }

  /// Returns the first eight of `fields`, quoted, with the number of the others.
  static func list(_ fields: [String]) -> String {
    if fields.isEmpty { return "no field at all" }
    let more = fields.count > 8 ? " and \(fields.count - 8) more" : ""
    return quoted(Array(fields.prefix(8))) + more
  }
}
