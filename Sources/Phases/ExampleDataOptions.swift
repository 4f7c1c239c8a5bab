import Configuration
import Datasets

/// The keys of a phase's examples.
package struct ExampleDataOptions: Sendable {
  /// The chat template of conversations.
  package enum Template: String, Sendable, CaseIterable {
    /// The template in the model's folder, else `plain`.
    case auto
    /// ChatML.
    case chatml
    /// The format of Llama 3.
    case llama3
    /// No role markers.
    case plain
  }

  /// Files, folders and globs.
  package let train: [String]
  /// The fraction of the examples that is held out, or files, folders and globs to validate on.
  package let validation: ValidationSource
  /// The names of the records' fields in the files, and the fields that are left out.
  package let fields: FieldNames
  /// The chat template of conversations.
  package let template: Template
  /// True to skip and count bad records; otherwise they are errors.
  package let skipsBad: Bool
  /// True to truncate examples that are too long; otherwise they are skipped and counted.
  package let truncates: Bool

  /// The files, folders and globs of all examples.
  var inputs: [String] { train + validation.files }

  /// - Parameter what: The kind of the examples, for the help text.
  package init(_ reader: inout ConfigurationReader, what: String) throws(ConfigurationError) {
    train = try reader.strings(
      "data.train", decidesBits: false,
      help: "\(what): files (.jsonl, .json, .csv, .gz), folders and globs")
    validation = try reader.validation("data.validation", of: "examples")
    let names = try reader.textMap(
      "data.fields", decidesBits: false,
      help: "names of the records' fields in the files where they differ, such as {text: sentence, "
        + "label: intent}")
    let ignored = try reader.strings(
      "data.ignoredFields", default: [], decidesBits: false,
      help: "names of fields of the records or their messages that are left out; other fields that "
        + "change what is learned and are not used are refused")
    do {
      fields = try FieldNames(names.map { ($0.key, $0.value) }, ignoring: ignored)
    } catch {
      throw reader.rejection(of: "data.fields", because: error.description)
    }
    template = try reader.choice(
      "data.template", default: .auto,
      decidesBits: false, help: "chat template; auto: the one in the model's folder, else plain")
    skipsBad = try reader.boolean(
      "data.skipBad", default: false,
      decidesBits: false, help: "skips bad records and counts them; otherwise they are errors")
    truncates = try reader.boolean(
      "data.truncate", default: false,
      help: "truncates examples that are too long; otherwise they are skipped and counted")
  }
}

extension ExampleDataOptions {
  /// Refuses `data.truncate` for examples that mean something else once they are truncated.
  func refuseTruncation(_ reader: ConfigurationReader, of part: String) throws(ConfigurationError) {
    if truncates {
      throw reader.rejection(
        of: "data.truncate",
        because: "a truncated \(part) would mean something else; leave the key out, and examples "
          + "longer than the context are skipped and counted")
    }
  }
}
