import Models
import Tensors
import Tokenizers

/// Writing a model as a Hugging Face folder of its own.
public enum ModelExport {
  /// Writes the model in `folder`, low-rank maps merged, to the new folder `output`, then reads that
  /// and compares every weight.
  ///
  /// - Returns: Sentences on what was passed over.
  /// - Throws: `CheckpointError.exists` where `output` is there already; nothing is left where it
  ///   throws.
  public static func write(_ folder: ModelFolder, to output: String) throws -> [String] {
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
      let again = try ModelFolder(path: draft).weights()
      guard again.layout == weights.layout,
        again.values.elements.elementsEqual(weights.values.elements)
      else {
        throw CheckpointError.damaged(
          path: draft, reason: "what was read again is not what was written")
      }
      try FileSystem.sync(folder: draft)
      try FileSystem.rename(draft, to: output)
      return folder.notes + weights.notes(folder.path)
    } catch {
      try? FileSystem.removeTree(draft)
      throw error
    }
  }
}
