import Files
import Models
import Tensors
import Tokenizers

/// Export of a model as a Hugging Face folder.
package enum ModelExport {
  /// Writes the model in `folder`, with LoRA adapters merged, to the new folder `output`, then
  /// opens the written folder as any reader does, and compares tokenizer, weights, and the outputs
  /// of both models for the probe input.
  ///
  /// - Parameter type: The element type of all weights; nil for that of each tensor in `folder`, or
  ///   F32 for merged adapters.
  /// - Returns: Notes about skipped damaged checkpoints and unused tensors.
  /// - Throws: `CheckpointError.exists` if `output` exists, `CheckpointError.notAsWritten` if a
  ///   bit differs, and `CheckpointError.outOfRange` if a weight does not fit `type`; nothing is left
  ///   at `output` then.
  package static func write(
    _ folder: ModelFolder, to output: String, as type: SafeTensor.DType? = nil
  ) throws -> [String] {
    try write(folder, to: output, as: type, beforeReading: { _ in })
  }

  /// - Parameter beforeReading: Called with the folder of the files when all are written (for
  ///   tests).
  static func write(
    _ folder: ModelFolder, to output: String, as type: SafeTensor.DType? = nil,
    beforeReading: (_ draft: String) throws -> Void
  ) throws -> [String] {
    guard try !FileSystem.exists(output) else { throw CheckpointError.exists(path: output) }
    let draft = "\(output).tmp"
    try FileSystem.removeTree(draft)
    try FileSystem.makeFolder(draft)
    do {
      var weights = try folder.weights()
      if let type { try weights.round(to: type, in: folder.path) }
      let files = ModelFiles(
        configuration: folder.network, layout: weights.layout, tokenizer: folder.tokenizer,
        template: try folder.chatTemplate(),
        published: folder.generation, types: weights.types)
      let written = try files.write(UnsafeBufferPointer(weights.values.elements)) {
        name throws(StorageError) in try DurableFile(creating: "\(draft)/\(name)")
      }
      for file in written { _ = try file.close() }
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

  /// Throws unless `copy`, read from the disk, equals the model of `folder` with `weights`.
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
    try require(
      folder.outputs, probeBits(copy.network, again) == probeBits(folder.network, weights))
  }

  /// Returns the bits of a network's output for the probe input.
  private static func probeBits<Network: NetworkConfiguration>(
    _ network: Network, _ weights: NamedWeights
  ) -> [UInt32] {
    let workspace = Workspace()
    let built = workspace.bind(weights.layout, values: weights.values, network.build)
    return network.probeOutput(of: built).map(\.bitPattern)
  }
}

extension ModelFolder {
  /// The name of the network's outputs, for messages.
  package var outputs: String {
    switch network {
    case is SequenceClassifierConfiguration: "scores"
    case is TextEncoderConfiguration: "vectors"
    default: "logits"
    }
  }
}
