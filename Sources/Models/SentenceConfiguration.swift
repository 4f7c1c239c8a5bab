import Files

/// The settings that sentence-transformers writes beside a model.
///
///     sentence_bert_config.json   max_seq_length, do_lower_case
///     modules.json                the modules in order, each with its type and folder
///     1_Pooling/config.json       the reduction of the hidden states to a vector
package struct SentenceConfiguration: Sendable, Equatable {
  package static let fileName = "sentence_bert_config.json"
  private static let listName = "modules.json"

  /// The longest text, in tokens with those that the tokenizer adds; nil when unspecified.
  ///
  /// Longer texts are cut.
  package private(set) var longest: Int?
  /// True when texts are converted to lower case before they are encoded.
  package private(set) var lowercases = false
  /// True when vectors are divided by their Euclidean norm.
  package private(set) var normalizes = false
  /// The settings that make another vector than the mean of the hidden states, such as
  /// `pooling_mode_cls_token`.
  package private(set) var others: [String] = []

  /// Reads the files in `folder` that are there.
  ///
  /// - Throws: `ModelError` for a file that cannot be read or has values that are not admitted.
  package init(folder: String) throws(ModelError) {
    let path = FileSystem.join(folder, Self.fileName)
    if FileStatus.isPresent(path) {
      let fields = try ConfigurationFile.fields(path)
      if fields.has("max_seq_length") {
        longest = try fields.size("max_seq_length", atMost: ModelLimits.context)
      }
      lowercases = try fields.flag("do_lower_case", default: false)
    }
    let list = FileSystem.join(folder, Self.listName)
    guard FileStatus.isPresent(list) else { return }
    for module in try ConfigurationFile.list(list) {
      let type = try module.text("type")
      switch type.split(separator: ".").last {
      case "Transformer": break
      case "Normalize": normalizes = true
      case "Pooling":
        let path = FileSystem.join(folder, try module.text("path", default: ""))
        others += try Self.pooling(FileSystem.join(path, "config.json"))
      default: others.append(type)
      }
    }
  }

  /// Returns the settings in the file of a pooling module that ask for more than the mean.
  private static func pooling(_ path: String) throws(ModelError) -> [String] {
    let fields = try ConfigurationFile.fields(path)
    let mode = try fields.text("pooling_mode", default: "mean")
    let flags = fields.values.keys.sorted().filter {
      $0.hasPrefix("pooling_mode_") && $0 != "pooling_mode_mean_tokens"
        && fields.values[$0] == .flag(true)
    }
    return (mode == "mean" ? [] : ["pooling_mode \(mode)"]) + flags
  }
}
