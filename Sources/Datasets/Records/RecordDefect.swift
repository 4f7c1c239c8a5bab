import Files
import Tokenizers

/// A defect of one record.
package enum RecordDefect: Error, Equatable, Sendable {

  // Reading it.

  /// Text that is not valid in its file's format.
  case malformed(reason: String)
  /// JSON that is not an object.
  case notAnObject(found: String)
  /// Fields that match no known record format.
  case unknownForm(fields: [String])
  /// A field with a value of the wrong type.
  case wrongKind(field: String, found: String, expected: String)
  /// A field with a number that 64 bits do not hold, which a template would write with other digits.
  case inexactNumber(field: String)
  /// A field that changes the meaning of a record, and is not used for records of this form.
  case unusedField(String, form: String, remedy: String? = nil)
  /// A field that `data.fields` names and the record lacks.
  case missingMappedField(String, for: String, found: [String])
  /// A part of a content that is no text.
  case unsupportedPart(String, field: String)
  /// A message with an unknown role.
  case unknownRole(String)
  /// An empty list of messages.
  case noMessages(field: String)
  /// An answer that is empty or only white space.
  case emptyAnswer
  /// A text that is empty or only white space.
  case emptyText
  /// A label without a character that is not white space.
  case emptyLabel
  /// Different numbers of words and tags.
  case tagsDoNotFit(words: Int, tags: Int)
  /// A pair whose sides are equal.
  case equalSides
  /// A pair whose sides do not begin with the same prompt.
  case differentPrompts

  // Training on it.

  /// A record of another kind than the phase trains on.
  case otherKind(found: String, wanted: String)
  /// A conversation whose answers are all outside the loss.
  case nothingInLoss
  /// A prompt that leaves no room for an answer.
  case promptTooLong(tokens: Int, context: Int, answer: Int? = nil)
  /// A conversation that the chat template cannot write.
  case unrendered(reason: String)
  /// A label outside the classes.
  case unknownClass(String, classes: [String])
  /// A value whose squared error fp32 cannot sum.
  case valueTooLarge(String)
  /// A label that is a name where regression needs a value.
  case notAValue(String)
}

extension RecordDefect: CustomStringConvertible {
  /// The defect as the end of a sentence that begins with its place.
  package var description: String {
    switch self {
    case .malformed(let reason):
      "cannot be read (\(reason)); correct it"
    case .notAnObject(let found):
      "is \(found) where an object with fields is needed; correct it"
    case .unknownForm(let fields):
      "has \(RecordFormat.list(fields)), the fields of no known record format"
        + (RecordFormat.nearest(to: fields).map { ": it is \($0)" } ?? "")
        + (RecordFormat.mapping(of: fields).map { "; read it with \($0), or use" } ?? "; use")
        + " one of \(RecordFormat.summary)"
    case .wrongKind(let field, let found, let expected):
      "has \(found) in its field \"\(field)\" where \(expected) is needed; correct it"
    case .inexactNumber(let field):
      "has a number of more than 64 bits in its field \"\(field)\"; write it as a text, in quotation "
        + "marks"
    case .unusedField(let field, let form, let remedy):
      "has the field \"\(field)\", which changes what a record means and is not used in \(form); "
        + (remedy ?? "remove the field, or the record")
    case .missingMappedField(let name, let known, let found):
      "has no field \"\(name)\", which data.fields names for \"\(known)\" (found: "
        + "\(RecordFormat.list(found))); correct the name"
    case .unsupportedPart(let type, let field):
      "has a part of the type \"\(type)\" in its field \"\(field)\", and models here read text "
        + "only; remove the record"
    case .unknownRole(let name):
      "has a message with the role \"\(name)\", which is not one of system, user, assistant "
        + "and tool; "
        + (Message.role(meantBy: name).map { "call it \($0)" } ?? "remove such messages")
    case .noMessages(let field):
      "has no message in its field \"\(field)\"; fill it or remove the record"
    case .emptyAnswer:
      "has an empty answer, which cannot be trained on; fill it or remove the record"
    case .emptyText:
      "has an empty text, which cannot be trained on; fill it or remove the record"
    case .emptyLabel:
      "has an empty label, which names no class; fill it or remove the record"
    case .tagsDoNotFit(let words, let tags):
      "has \(tags, "tag") for \(words, "word"); give every word its tag"
    case .equalSides:
      "has the same answer chosen and rejected; remove the record"
    case .differentPrompts:
      "has sides that answer different prompts; both must begin with the same messages"
    case .otherKind(let found, let wanted):
      "holds \(found), and \(wanted) is needed here; name other files"
    case .nothingInLoss:
      "has no answer in the loss, as every one has the weight 0; remove the record, or give one the "
        + "weight 1"
    case .promptTooLong(let tokens, let context, let answer):
      "has a prompt of \(tokens, "token"), which leaves no room for an answer "
        + (answer.map { "of \($0, "token") " } ?? "")
        + "in a context of \(context); shorten it or raise the context"
    case .unrendered(let reason):
      "cannot be rendered: \(reason); change it or name another template"
    case .unknownClass(let label, let classes):
      "has the label \"\(label)\", which is not one of the classes "
        + "\(RecordFormat.quoted(classes)); correct it, or name it in data.classes of the training"
    case .valueTooLarge(let label):
      "has the label \(label), beyond 1e15, whose squared error is too large for fp32; scale the values"
    case .notAValue(let label):
      "has the label \"\(label)\" where regression needs a number; correct it or train a classifier"
    }
  }

  /// True when the record is valid but of a kind that cannot be used here.
  var isWrongKind: Bool {
    if case .otherKind = self { true } else { false }
  }
}
