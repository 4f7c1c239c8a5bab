import Checkpoints
import Configuration

/// The model that a phase goes on from, as typed.
public struct StartOptions: Sendable {
  /// A run folder, a checkpoint, or a Hugging Face folder.
  public let from: String
  /// Positions of a row, or nil for the model's longest.
  public let context: Int?

  /// Reads both keys.
  public init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    from = try reader.string(
      "model.from",
      help: "the model to go on from: a run folder (its newest checkpoint), a checkpoint, or a "
        + "Hugging Face folder")
    context = try reader.optionalInteger(
      "model.context", in: 2..., unit: "tokens",
      help: "longest row in training; the model's own when absent")
  }

  /// Rows of `context` positions of the model in the folder `from`.
  init(from: String, context: Int?) {
    self.from = from
    self.context = context
  }

  /// Reads `model.from` where a phase can do without; it has a key of its own for the context.
  static func optional(_ reader: inout ConfigurationReader) throws(ConfigurationError) -> String? {
    try reader.optionalString(
      "model.from",
      help: "a model to go on from: a run folder (its newest checkpoint), a checkpoint, or a "
        + "Hugging Face folder; when absent one is made of the sizes below")
  }

  /// The model's folder.
  ///
  /// - Throws: Also when `context` is longer than the model can see.
  func folder(_ reader: ConfigurationReader) throws -> ModelFolder {
    let folder = try ModelFolder(path: from)
    if let context, context > folder.configuration.context {
      throw reader.rejection(
        of: "model.context",
        because: "\(context) positions are more than the \(folder.configuration.context) of the "
          + "model in \(folder.path); choose that or less")
    }
    return folder
  }
}
