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
      let record = try fields.conversation(fields.prompt("prompt"))
      // Answers in a prompt belong to it, and the model writes the next one.
      if case .conversation(let prompt) = record { return .prompt(prompt) }
      return record
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

  /// All optional fields that are read.
  var allOptionalFields: [String] { optionalFields + furtherFields }

  /// The names of all fields of records and messages that are read.
  static let knownFields: Set<String> = Set(
    all.flatMap { $0.fields + $0.allOptionalFields } + Message.mappedFields)

  /// All formats with their fields, for error sentences.
  static var summary: String {
    all.map { format in
      let fields = format.fields.map { quoted([$0]) }.joined(separator: " with ")
      let optional = format.optionalFields.map { quoted([$0]) }.joined(separator: " and ")
      return "\(fields) (\(format.name)\(optional.isEmpty ? "" : ", also with \(optional)"))"
    }.joined(separator: ", ")
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
