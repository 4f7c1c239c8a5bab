import Models
import Tensors

/// What a model's folder says before a weight is read: its configuration, and the headers of its
/// files.
public struct ModelInspection: Sendable {
  /// The folder.
  public let path: String
  /// Hugging Face's `model_type`.
  public let family: String
  /// The first of its `architectures`.
  public let architecture: String
  /// The network that is here.
  public let network: any NetworkConfiguration
  /// The sizes of the model, or of a sequence scorer's decoder.
  public let model: any ModelConfiguration
  /// Ids of the tokenizer.
  public let tokens: Int
  /// Numbers of the whole network; low-rank maps count as part of the weights they are merged into.
  public let parameters: Int
  /// Those of them that are embeddings of tokens and positions.
  public let embeddings: Int
  /// Numbers that the files hold in each type, by the type's name, sorted.
  public let precisions: [(type: String, count: Int)]
  /// How many files of weights there are.
  public let files: Int
  /// Bytes of these files.
  public let fileBytes: Int
  /// Sentences on what was passed over.
  public let notes: [String]

  /// Reads the headers in `folder`, and in the base's of an adapter.
  ///
  /// - Throws: Also where the files do not hold what the configuration names.
  public init(_ folder: ModelFolder) throws {
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
    let unused = NamedWeights(
      layout: ParameterLayout(), values: FlatBuffer(count: 0), unused: found.flatMap(\.unused))
    notes = unused.notes(path)
  }
}

extension ModelFolder {
  /// The headers of the files with the weights of `network`: of an adapter its own, and its base's.
  fileprivate func headers(of network: any NetworkConfiguration) throws -> [FoundTensors] {
    guard case .adapter(let adapter, let base, _) = contents else {
      return [try FoundTensors(of: network.layout, in: path)]
    }
    let layout = try network.layout(adapter.lora(in: network.layout)).trainable
    return try base.headers(of: base.network) + [FoundTensors(of: layout, in: path)]
  }
}
