import Checkpoints
import Configuration

/// The keys of the initial model.
package struct StartOptions: Sendable {
  /// A run folder, a checkpoint, or a Hugging Face folder.
  package let from: String
  /// Positions of a row; nil for the model's maximum.
  package let context: Int?
}

extension StartOptions {
  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    from = try reader.string(
      "model.from",
      decidesBits: false,
      help: "initial model: a run folder (its newest checkpoint), a checkpoint, or a Hugging Face "
        + "folder")
    context = try reader.optionalInteger(
      "model.context", in: 2..., unit: "tokens",
      help: "maximum row length in training; the model's own when absent")
  }

  /// Reads `model.from` in a phase where it is optional, which reads `model.context` by itself.
  static func optional(_ reader: inout ConfigurationReader) throws(ConfigurationError) -> String? {
    try reader.optionalString(
      "model.from",
      decidesBits: false,
      help: "initial model: a run folder (its newest checkpoint), a checkpoint, or a Hugging Face "
        + "folder; when absent a new model of the sizes below")
  }

  /// Opens the folder of the model.
  ///
  /// - Throws: Also when `context` exceeds the model's maximum.
  func folder(_ reader: ConfigurationReader) throws -> ModelFolder {
    let folder = try ModelFolder(path: from)
    if let context, context > folder.configuration.context {
      throw reader.rejection(
        of: "model.context",
        because: "\(context) positions exceed the maximum of \(folder.configuration.context) of "
          + "the model in \(folder.path); choose that or less")
    }
    return folder
  }
}
