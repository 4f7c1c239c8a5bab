import Models
import Tensors
import Tokenizers

/// The trunk of a network read from disk, for vectors of texts; low-rank maps are merged.
public struct LoadedEncoder: Sendable {
  /// The folder that was read.
  public let path: String
  /// The model whose trunk it is, and whether there is a pooler.
  public let configuration: TextEncoderConfiguration
  /// Names and places of its parameters.
  public let layout: ParameterLayout
  /// Its weights.
  public let parameters: FlatBuffer
  /// Its tokenizer.
  public let tokenizer: any Tokenizer
  /// Sentences on what was passed over.
  public let notes: [String]

  /// Reads the network at `path`, whichever it is; see `ModelFolder`.
  ///
  /// A language model has no pooler.
  public init(path: String) throws {
    let folder = try ModelFolder(path: path)
    try folder.requireOneStack()
    self.path = folder.path
    let hasPooler = folder.scorer != nil || folder.network is TextEncoderConfiguration
    configuration = TextEncoderConfiguration(folder.configuration, hasPooler: hasPooler)
    let weights = try folder.weights(of: configuration)
    layout = weights.layout
    parameters = weights.values
    tokenizer = folder.tokenizer
    // The heads that are not read are no news.
    notes = folder.notes
  }
}
