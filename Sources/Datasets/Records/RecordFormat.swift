import Tokenizers

/// The forms that records come in, told by their fields, in the order in which they are tried.
enum RecordFormat: CaseIterable {
  /// `chosen` and `rejected`, with what both answer beside or inside them.
  case preference
  /// OpenAI's list of messages.
  case messages
  /// ShareGPT's list of messages.
  case shareGPT
  /// Stanford Alpaca's instruction, input and output.
  case alpaca
  /// A prompt and its completion.
  case completion
  /// A prompt and its response.
  case response
  /// A question and its answer, as in GSM8K.
  case question
  /// A text and its label.
  case labelled
  /// Words and their tags.
  case tagged
  /// A prompt alone.
  case prompt

  /// The fields that a record of this form must have.
  var fields: [String] {
    switch self {
    case .preference: ["chosen", "rejected"]
    case .messages: ["messages"]
    case .shareGPT: ["conversations"]
    case .alpaca: ["instruction", "output"]
    case .completion: ["prompt", "completion"]
    case .response: ["prompt", "response"]
    case .question: ["question", "answer"]
    case .labelled: ["text", "label"]
    case .tagged: ["tokens", "tags"]
    case .prompt: ["prompt"]
    }
  }

  /// The fields that it may have beside them and that are read.
  private var optionalFields: [String] {
    switch self {
    case .preference: ["prompt", "margin"]
    case .alpaca: ["input"]
    default: []
    }
  }

  /// Its name.
  var name: String {
    switch self {
    case .preference: "a preference pair"
    case .messages: "a conversation"
    case .shareGPT: "a ShareGPT conversation"
    case .alpaca: "an Alpaca instruction"
    case .completion, .response: "a prompt with its answer"
    case .question: "a question with its answer"
    case .labelled: "a labelled text"
    case .tagged: "words with tags"
    case .prompt: "a prompt alone"
    }
  }

  /// The form of a record with fields `names`; nil when it has none.
  init?(of names: [String]) {
    guard let format = Self.allCases.first(where: { $0.fields.allSatisfy(names.contains) }) else {
      return nil
    }
    self = format
  }

  /// All forms with their fields, for people.
  static var summary: String {
    allCases.map { format in
      let fields = format.fields.map { quoted([$0]) }.joined(separator: " with ")
      let optional = format.optionalFields.map { quoted([$0]) }.joined(separator: " and ")
      return "\(fields) (\(format.name)\(optional.isEmpty ? "" : ", also with \(optional)"))"
    }.joined(separator: ", ")
  }

  /// The form that a record with fields `names` comes nearest to, and how it falls short; nil when it
  /// is like none.
  static func nearest(to names: [String]) -> String? {
    var best: (format: RecordFormat, likeness: Double)?
    for format in allCases {
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

  /// How like `field` the likest of `names` is: 1 for the same, 1/2 for one that is spelled nearly so.
  private static func similarity(of field: String, to names: [String]) -> (
    value: Double, name: String?
  ) {
    if names.contains(field) { return (1, nil) }
    let near = names.first { distance(from: $0.lowercased(), to: field) <= 2 }
    return (near == nil ? 0 : 0.5, near)
  }

  /// The number of letters to insert, delete or replace (Levenshtein).
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
}
