import Tokenizers

/// A format of records, recognised by its fields.
struct RecordFormat: Sendable {
  /// The format as a phrase for error sentences.
  let name: String
  /// The required fields.
  let fields: [String]
  /// The optional fields that error sentences name.
  var optionalFields: [String] = []
  /// The other optional fields that are read.
  var furtherFields: [String] = []
  /// Returns the record that fields of this format form.
  let record: @Sendable (RecordFields) throws(RecordDefect) -> Record

  /// All formats in the order in which they are tried.
  static let all = [
    // With the prompt in a field of its own or inside the answers. LLaMA-Factory's have the prompt in
    // `conversations` or `instruction`, and one message as an answer.
    RecordFormat(
      name: "a preference pair", fields: ["chosen", "rejected"],
      optionalFields: ["prompt", "margin"],
      furtherFields: [
        "instruction", "input", "history", "question", "conversations", "messages", "system",
        "tools",
      ]
    ) { fields throws(RecordDefect) in .pair(try fields.preference()) },
    // OpenAI's list of messages.
    conversation(name: "a conversation", fields: ["messages"]) { fields throws(RecordDefect) in
      (try fields.required("messages"), nil)
    },
    // ShareGPT's list of messages.
    conversation(name: "a ShareGPT conversation", fields: ["conversations"]) {
      fields throws(RecordDefect) in (try fields.required("conversations"), nil)
    },
    // Stanford Alpaca's instruction, input and output, with LLaMA-Factory's history.
    conversation(
      name: "an Alpaca instruction", fields: ["instruction", "output"], optionalFields: ["input"],
      furtherFields: ["history"]
    ) { fields throws(RecordDefect) in
      (try fields.alpacaPrompt(), try fields.answer("output"))
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
    RecordFormat(
      name: "a prompt alone", fields: ["prompt"], furtherFields: ["system", "tools"]
    ) { fields throws(RecordDefect) in
      try fields.conversation(fields.prompt("prompt"))
    },
  ]

  private static func answered(
    _ prompt: String, by answer: String, name: String
  ) -> RecordFormat {
    conversation(name: name, fields: [prompt, answer]) { fields throws(RecordDefect) in
      (try fields.prompt(prompt), try fields.answer(answer))
    }
  }

  /// A format of conversations, whose records may also have a system message, tools, and the label of
  /// their last answer; `messages` returns the messages up to a separate answer, and that answer.
  private static func conversation(
    name: String, fields: [String], optionalFields: [String] = [], furtherFields: [String] = [],
    _ messages:
      @escaping @Sendable (RecordFields) throws(RecordDefect) -> ([Message], answer: [Message]?)
  ) -> RecordFormat {
    RecordFormat(
      name: name, fields: fields, optionalFields: optionalFields,
      furtherFields: furtherFields + ["system", "tools"] + RecordFields.preferenceLabelFields
    ) { fields throws(RecordDefect) in
      let (before, answer) = try messages(fields)
      return try fields.conversation(before, answer: answer)
    }
  }

  /// The fields that change what a record means wherever they occur.
  ///
  /// A record in whose format they are not read is refused. Any other field is irrelevant, such as an
  /// id, a source or a score.
  private static let meaningfulFields: Set<String> = [
    "audio", "audios", "chat_template_kwargs", "chosen", "context", "documents", "function_call",
    "functions", "history", "image", "images", "input", "kto_tag", "label", "margin", "rejected",
    "system", "text_pair", "tools", "train", "video", "videos", "weight",
  ]

  /// Returns the first of `fields` that changes what the record means and is not read; nil when there
  /// is none.
  func unusedField(in fields: RecordFields) -> String? {
    fields.members.first { name, value in
      Self.meaningfulFields.contains(name) && !value.isNeutral(for: name)
        && !(self.fields + optionalFields + furtherFields).contains(name)
    }?.name
  }

  /// The names of all fields of records and messages that are read.
  static let knownFields: Set<String> = Set(
    all.flatMap { $0.fields + $0.optionalFields + $0.furtherFields } + Message.mappedFields)

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
