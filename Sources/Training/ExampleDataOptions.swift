import Configuration
import Tokenizers

/// Where a phase's examples come from, as typed.
public struct ExampleDataOptions: Sendable {
  /// How conversations are written.
  public enum Template: String, Sendable, CaseIterable {
    /// The one kept with the model's tokenizer, else `plain`.
    case auto
    /// OpenAI's ChatML.
    case chatml
    /// Llama 3's.
    case llama3
    /// No markers.
    case plain
  }

  /// Files, folders and globs.
  public let train: [String]
  /// A share of the examples, when no files are given.
  public let validationShare: Double
  /// Files, folders and globs to validate on; empty for a share.
  public let validation: [String]
  /// How conversations are written.
  public let template: Template
  /// Whether bad records are left out and counted.
  public let skipsBad: Bool
  /// Whether examples that are too long are cut; otherwise they are left out and counted.
  public let truncates: Bool

  /// Reads the keys.
  ///
  /// - Parameter what: What an example is, for the help.
  public init(_ reader: inout ConfigurationReader, what: String) throws(ConfigurationError) {
    train = try reader.strings(
      "data.train", help: "\(what): files (.jsonl, .json, .csv, .gz), folders and globs")
    let typed = try reader.strings(
      "data.validation", default: ["0.1"],
      help: "share of the examples, or files, folders and globs of their own")
    if typed.count == 1, let share = Double(typed[0]) {
      guard share >= 0 && share < 1 else {
        throw reader.rejection(
          of: "data.validation", because: "a share must be in 0..<1, not \(typed[0])")
      }
      (validationShare, validation) = (share, [])
    } else {
      (validationShare, validation) = (0, typed)
    }
    template = try reader.choice(
      "data.template", default: .auto,
      help: "how conversations are written; auto: as the model's folder says, else plain")
    skipsBad = try reader.boolean(
      "data.skipBad", default: false, help: "leave bad records out and count them")
    truncates = try reader.boolean(
      "data.truncate", default: false,
      help: "cut examples that are too long; otherwise they are left out and counted")
  }
}

extension ExampleDataOptions {
  /// Refuses to cut what is another example once it is cut.
  func refuseCuts(_ reader: ConfigurationReader, of part: String) throws(ConfigurationError) {
    if truncates {
      throw reader.rejection(
        of: "data.truncate",
        because: "\(part) that is cut is not the one that was meant; leave it out, and what is too "
          + "long for the context is left out and counted")
    }
  }
}
