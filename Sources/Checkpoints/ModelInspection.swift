import Models
import Tensors

/// A summary of a model's folder from its configuration and the headers of its weights files,
/// without reading weights.
package struct ModelInspection: Sendable {
  /// The folder.
  package let path: String
  /// Hugging Face's `model_type`.
  package let family: String
  /// The first of its `architectures`.
  package let architecture: String
  package let network: any NetworkConfiguration
  /// The language model, or the one with the same backbone.
  package let model: any ModelConfiguration
  /// Number of ids of the tokenizer.
  package let tokens: Int
  /// Number of parameters of the network; LoRA adapters are not counted, because they are merged
  /// into its weights.
  package let parameters: Int
  /// Number of parameters that are embeddings of tokens, positions and segments.
  package let embeddings: Int
  /// Number of elements in the files by element type, sorted by the type's name.
  package let precisions: [(type: String, count: Int)]
  /// Number of weights files.
  package let files: Int
  /// Size of the weights files in bytes.
  package let fileBytes: Int
  /// Notes about keys that are ignored and about unused tensors.
  package let notes: [String]

  /// Reads the headers in `folder`, and for an adapter those in its base's folder.
  ///
  /// - Throws: `CheckpointError.otherModel` if the files do not match the configuration.
  package init(_ folder: ModelFolder) throws {
    path = folder.path
    network = folder.network
    model = folder.configuration
    let json = network.json
    family = json["model_type"]?.text ?? ""
    if case .list(let names)? = json["architectures"] {
      architecture = names.first?.text ?? ""
    } else {
      architecture = ""
    }
    tokens = folder.tokenizer.vocabularySize
    let layout = network.layout
    parameters = layout.parameterCount
    embeddings = layout.entries.filter(\.isEmbedding).reduce(0) { $0 + $1.range.count }
    let found = try folder.headers(of: network)
    var counts: [SafeTensor.DType: Int] = [:]
    for tensors in found { counts.merge(tensors.counts, uniquingKeysWith: +) }
    precisions = counts.map { ($0.key.rawValue, $0.value) }.sorted { $0.0 < $1.0 }
    files = found.reduce(0) { $0 + $1.fileCount }
    fileBytes = found.reduce(0) { $0 + $1.fileBytes }
    notes = folder.notes + NamedWeights.notes(path, unused: found.flatMap(\.unused))
  }
}

extension ModelFolder {
  /// Reads the headers of the files with the weights of `network`; for an adapter also those of its
  /// base model.
  fileprivate func headers(of network: any NetworkConfiguration) throws -> [FoundTensors] {
    guard case .adapter(let adapter, let base, _) = contents else {
      return [try FoundTensors(of: network.layout, in: path)]
    }
    let layout = try network.layout(adapter.lora(in: network.layout)).trainable
    return try base.headers(of: base.network) + [FoundTensors(of: layout, in: path)]
  }
}
