import Models
import Tensors
import Tokenizers

/// Writing a model as a Hugging Face folder of its own.
public enum ModelExport {
  /// Writes the model in `folder`, low-rank maps merged, to the new folder `output`, then opens that
  /// as any reader does, and compares tokenizer, weights, and what both models say of the same text.
  ///
  /// - Returns: Sentences on what was passed over.
  /// - Throws: `CheckpointError.exists` where `output` is there already, and
  ///   `CheckpointError.notAsWritten` where they differ in a bit; nothing is left where it throws.
  public static func write(_ folder: ModelFolder, to output: String) throws -> [String] {
    try write(folder, to: output, beforeReading: { _ in })
  }

  /// - Parameter beforeReading: Told where the files are when all of them are written.
  static func write(
    _ folder: ModelFolder, to output: String, beforeReading: (_ draft: String) throws -> Void
  ) throws -> [String] {
    guard try !FileSystem.exists(output) else { throw CheckpointError.exists(path: output) }
    let draft = "\(output).tmp"
    try FileSystem.removeTree(draft)
    try FileSystem.makeFolder(draft)
    do {
      let weights = try folder.weights()
      let files = ModelFiles(
        configuration: folder.network, layout: weights.layout, tokenizer: folder.tokenizer,
        template: try TokenizerFile.template(from: folder.path, for: folder.tokenizer))
      _ = try files.write(UnsafeBufferPointer(weights.values.elements)) {
        name throws(StorageError) in try DurableFile(creating: "\(draft)/\(name)")
      }
      try beforeReading(draft)
      try compare(folder, weights, with: try ModelFolder(path: draft), writtenTo: output)
      try FileSystem.sync(folder: draft)
      try FileSystem.rename(draft, to: output)
      return folder.notes + weights.notes(folder.path)
    } catch {
      try? FileSystem.removeTree(draft)
      throw error
    }
  }

  /// Throws unless `copy`, as it is read from the disk, is the model of `folder` with `weights`.
  private static func compare(
    _ folder: ModelFolder, _ weights: NamedWeights, with copy: ModelFolder,
    writtenTo output: String
  ) throws {
    func require(_ what: String, _ isSame: Bool) throws(CheckpointError) {
      if !isSame { throw .notAsWritten(path: output, what: what) }
    }
    try require(
      "token ids",
      TokenizerFile.fingerprint(of: copy.tokenizer)
        == TokenizerFile.fingerprint(of: folder.tokenizer))
    let again = try copy.weights()
    try require(
      "weights",
      again.layout == weights.layout
        && again.values.elements.elementsEqual(weights.values.elements) {
          $0.bitPattern == $1.bitPattern
        })
    try require(folder.outputs, trial(copy.network, again) == trial(folder.network, weights))
  }

  /// The bits of what a network says of its trial text.
  private static func trial<Network: NetworkConfiguration>(
    _ network: Network, _ weights: NamedWeights
  ) -> [UInt32] {
    let workspace = Workspace()
    let built = workspace.bind(weights.layout, values: weights.values, network.build)
    return network.trial(of: built).map(\.bitPattern)
  }
}

extension ModelFolder {
  /// What the network here says of a text, in one word.
  public var outputs: String {
    switch network {
    case is SequenceScorerConfiguration: "scores"
    case is TextEncoderConfiguration: "vectors"
    default: "logits"
    }
  }
}
