import Models
import Tensors
import Tokenizers

/// The backbone of a network read from disk, for text embeddings; LoRA adapters are merged.
package struct LoadedEncoder: Sendable {
  /// The folder that was read.
  package let path: String
  /// The model with the same backbone, and whether there is a pooler.
  package let configuration: TextEncoderConfiguration
  /// Names and places of the parameters.
  package let layout: ParameterLayout
  /// The weights.
  package let parameters: FlatBuffer
  package let tokenizer: any Tokenizer
  /// Notes about damaged checkpoints that were skipped.
  package let notes: [String]

  /// Reads the network at `path`, of any kind but an encoder–decoder; see `ModelFolder`.
  ///
  /// A language model has no pooler.
  package init(path: String) throws {
    let folder = try ModelFolder(path: path)
    try folder.refuseEncoderDecoder()
    self.path = folder.path
    let hasPooler = folder.classifier != nil || folder.network is TextEncoderConfiguration
    configuration = TextEncoderConfiguration(folder.configuration, hasPooler: hasPooler)
    let weights = try folder.weights(of: configuration)
    layout = weights.layout
    parameters = weights.values
    tokenizer = folder.tokenizer
    // The unused heads are not worth a note.
    notes = folder.notes
  }
}
