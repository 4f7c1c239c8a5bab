import Tokenizers

/// What can be wrong with one record.
public enum RecordDefect: Error, Equatable, Sendable {

  // Reading it.

  /// Text that is not what its file's name says.
  case malformed(reason: String)
  /// JSON that is no object.
  case notAnObject(found: String)
  /// Fields of no known form.
  case unknownForm(fields: [String])
  /// A field with another kind of value than it needs.
  case wrongKind(field: String, found: String, expected: String)
  /// A message of somebody who does not take part in conversations.
  case unknownRole(String)
  /// A message, by its number from 1, that is out of turn.
  case outOfTurn(message: Int, role: Role, after: Role?)
  /// A list of messages without one.
  case noMessages(field: String)
  /// An answer that says nothing.
  case emptyAnswer
  /// A text that says nothing.
  case emptyText
  /// Words and tags of different numbers.
  case tagsDoNotFit(words: Int, tags: Int)
  /// A pair whose sides are the same.
  case equalSides
  /// A pair whose sides do not begin with the same question.
  case differentPrompts

  // Training on it.

  /// A record of another kind than the phase learns from.
  case otherKind(found: String, wanted: String)
  /// A prompt that leaves no room for an answer.
  case promptTooLong(tokens: Int, context: Int, answer: Int? = nil)
  /// A conversation that the chat template cannot write.
  case unrendered(reason: String)
  /// A label that is none of the classes.
  case unknownClass(String, classes: [String])
  /// A label that is a name where values are learned.
  case notAValue(String)
}

extension RecordDefect: CustomStringConvertible {
  /// The defect as the end of a sentence that begins with its place.
  public var description: String {
    switch self {
    case .malformed(let reason):
      "cannot be read (\(reason)); correct it"
    case .notAnObject(let found):
      "is \(found) where an object with fields is needed; correct it"
    case .unknownForm(let fields):
      "has \(Self.list(fields)), the fields of no known record"
        + (RecordFormat.nearest(to: fields).map { ": it is \($0)" } ?? "")
        + "; known are \(RecordFormat.summary)"
    case .wrongKind(let field, let found, let expected):
      "has \(found) in its field \"\(field)\" where \(expected) is needed; correct it"
    case .unknownRole(let name):
      "has a message of \"\(name)\", and conversations are between system, user and assistant; take "
        + "such messages out"
    case .outOfTurn(let message, let role, let before):
      "has the \(role.rawValue)'s message number \(message) "
        + (before.map { "behind one of the \($0.rawValue)'s" } ?? "at its start")
        + "; user and assistant take turns, behind at most one message of the system"
    case .noMessages(let field):
      "has no message in its field \"\(field)\"; fill it or take the record out"
    case .emptyAnswer:
      "has an empty answer, from which nothing can be learned; fill it or take the record out"
    case .emptyText:
      "has an empty text, from which nothing can be learned; fill it or take the record out"
    case .tagsDoNotFit(let words, let tags):
      "has \(tags) tags for \(words) words; give every word its tag"
    case .equalSides:
      "has the same answer chosen and rejected; take the record out"
    case .differentPrompts:
      "has sides that answer different prompts; both must begin with the same messages"
    case .otherKind(let found, let wanted):
      "holds \(found), and \(wanted) is needed here; name other files"
    case .promptTooLong(let tokens, let context, let answer):
      "has a prompt of \(tokens) tokens, which leaves no room for an answer "
        + (answer.map { "of \($0) tokens " } ?? "")
        + "in a context of \(context); shorten it or raise the context"
    case .unrendered(let reason):
      "cannot be written: \(reason); change it or name another template"
    case .unknownClass(let label, let classes):
      "has the label \"\(label)\", which is none of the classes \(RecordFormat.quoted(classes)); "
        + "correct it or name the class"
    case .notAValue(let label):
      "has the label \"\(label)\" where a number is to be learned; correct it or learn classes"
    }
  }

  /// Whether the record is whole, of a kind that is of no use here.
  var isOfKind: Bool {
    if case .otherKind = self { true } else { false }
  }

  private static func list(_ fields: [String]) -> String {
    if fields.isEmpty { return "no field at all" }
    let more = fields.count > 8 ? " and \(fields.count - 8) more" : ""
    return RecordFormat.quoted(Array(fields.prefix(8))) + more
  }
}
