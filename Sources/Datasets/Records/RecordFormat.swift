import Tokenizers

/// The formats of records, recognised by their fields, in the order in which they are tried.
enum RecordFormat: CaseIterable {
  /// `chosen` and `rejected`, with their prompt in a separate field or inside them.
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

  /// The required fields.
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

  /// The optional fields that are read.
  private var optionalFields: [String] {
    switch self {
    case .preference: ["prompt", "margin"]
    case .alpaca: ["input"]
    default: []
    }
  }

  /// The format as a phrase for error sentences.
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

  /// Returns the format of a record with fields `names`; nil when none matches.
  init?(of names: [String]) {
    guard let format = Self.allCases.first(where: { $0.fields.allSatisfy(names.contains) }) else {
      return nil
    }
    self = format
  }

  /// All formats with their fields, for error sentences.
  static var summary: String {
    allCases.map { format in
      let fields = format.fields.map { quoted([$0]) }.joined(separator: " with ")
      let optional = format.optionalFields.map { quoted([$0]) }.joined(separator: " and ")
      return "\(fields) (\(format.name)\(optional.isEmpty ? "" : ", also with \(optional)"))"
    }.joined(separator: ", ")
  }

  /// Returns the format that is most similar to the fields `names` and the fields that it lacks, as a
  /// phrase; nil when none is similar.
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
}
