import Testing
import Tokenizers

@testable import Datasets

struct RecordDefectTests {
  /// One error of every case that records can cause, except unknown formats.
  static let all: [DatasetError] =
    [
      .malformed(reason: "a string has no end"),
      .notAnObject(found: "a list"),
      .wrongKind(field: "text", found: "a number", expected: "a text"),
      .unknownRole("critic"),
      .unknownRole("developer"),
      .unknownRole("User"),
      .unknownRole("bot"),
      .unknownRole("ipython"),
      .noMessages(field: "messages"),
      .emptyAnswer,
      .emptyText,
      .emptyLabel,
      .equalSides,
      .differentPrompts,
      .otherKind(found: "a labelled text", wanted: "a preference pair"),
      .nothingInLoss,
      .promptTooLong(tokens: 70, context: 64),
      .promptTooLong(tokens: 60, context: 64, answer: 8),
      .unrendered(reason: "the chat template refuses it at line 1: no"),
      .unknownClass("c", classes: ["a", "b"]),
      .notAValue("c"),
      .unusedField("weight", form: "a conversation"),
      .unusedField(
        "system", form: "messages that begin with one of the system",
        remedy: "remove one of the two"),
      .missingMappedField("sentnce", for: "text", found: ["sentence", "label"]),
      .unsupportedPart("image", field: "messages[0].content"),
    ].map { .badRecord($0, at: RecordPlace(path: "d.jsonl", line: 3)) } + [
      .repeatedColumn(path: "d.csv", line: 1, name: "text"),
      .noRecords(skipped: SkippedRecords()),
      .allTooLong(examples: 4, context: 64),
      .invalidLossMask(.nothing),
      .invalidLossMask(.everything),
      .invalidLossMask(.noEndOfTurn(truncated: 0)),
      .invalidLossMask(.noEndOfTurn(truncated: 4)),
      .oneClass("a"), .oneClassGiven("a"), .oneClassToTrain("a", heldOut: "b"),
    ]

  static let sentences = """
    d.jsonl:3 cannot be read (a string has no end); correct it
    d.jsonl:3 is a list where an object with fields is needed; correct it
    d.jsonl:3 has a number in its field "text" where a text is needed; correct it
    d.jsonl:3 has a message with the role "critic", which is not one of system, user, assistant and tool; remove such messages
    d.jsonl:3 has a message with the role "developer", which is not one of system, user, assistant and tool; call it system
    d.jsonl:3 has a message with the role "User", which is not one of system, user, assistant and tool; call it user
    d.jsonl:3 has a message with the role "bot", which is not one of system, user, assistant and tool; call it assistant
    d.jsonl:3 has a message with the role "ipython", which is not one of system, user, assistant and tool; call it tool
    d.jsonl:3 has no message in its field "messages"; fill it or remove the record
    d.jsonl:3 has an empty answer, which cannot be trained on; fill it or remove the record
    d.jsonl:3 has an empty text, which cannot be trained on; fill it or remove the record
    d.jsonl:3 has an empty label, which names no class; fill it or remove the record
    d.jsonl:3 has the same answer chosen and rejected; remove the record
    d.jsonl:3 has sides that answer different prompts; both must begin with the same messages
    d.jsonl:3 holds a labelled text, and a preference pair is needed here; name other files
    d.jsonl:3 has no answer in the loss, as every one has the weight 0; remove the record, or give one the weight 1
    d.jsonl:3 has a prompt of 70 tokens, which leaves no room for an answer in a context of 64; shorten it or raise the context
    d.jsonl:3 has a prompt of 60 tokens, which leaves no room for an answer of 8 tokens in a context of 64; shorten it or raise the context
    d.jsonl:3 cannot be rendered: the chat template refuses it at line 1: no; change it or name another template
    d.jsonl:3 has the label "c", which is not one of the classes "a", "b"; correct it, or name it in data.classes of the training
    d.jsonl:3 has the label "c" where regression needs a number; correct it or train a classifier
    d.jsonl:3 has the field "weight", which changes what a record means and is not used in a conversation; remove the field, or the record
    d.jsonl:3 has the field "system", which changes what a record means and is not used in messages that begin with one of the system; remove one of the two
    d.jsonl:3 has no field "sentnce", which data.fields names for "text" (found: "sentence", "label"); correct the name
    d.jsonl:3 has a part of the type "image" in its field "messages[0].content", and models here read text only; remove the record
    d.csv:1 names two columns "text"; rename one of them
    no record is left to use; name files with records
    all 4 examples are longer than the context of 64, so none is left; raise the context or shorten them
    the loss mask includes no token: the chat template leaves out the contents of the answers; name another template
    the loss mask includes every token, prompts too: the examples hold only answers; add prompts, or pretrain on the text
    the loss mask never includes the end of a turn, so the model would not stop; raise the context or leave long examples out
    the loss mask never includes the end of a turn, so the model would not stop: 4 examples were cut before it; raise the context or leave long examples out
    every label is "a", and a classifier needs two classes; add records of another class
    "a" is the only class in data.classes, and a classifier needs two; name another, or leave data.classes out
    every label to train on is "a", since all records with "b" are held out for validation, where those of one text stay together; add records with other texts, or name validation files in data.validation
    """

  @Test func everySentenceIsAsExpected() {
    #expect(Self.all.map(\.description) == Self.sentences.split(separator: "\n").map(String.init))
    for error in Self.all {
      #expect(error.description.contains("; "), "\(error)")
    }
  }
}
