/// An error in the contents of a checkpoint or weights file (damaged, foreign, unknown); exit code
/// 2.
///
/// Errors of the disk are ``StorageError``s.
package enum CheckpointError: Error, Equatable, Sendable {
  /// The path does not hold a model.
  case noModel(path: String, reason: String)
  /// The folder has no manifest, so it is not a published checkpoint.
  case notACheckpoint(path: String, reason: String)
  /// The file or folder differs from what was written.
  case damaged(path: String, reason: String)
  /// An intact checkpoint in the format of another release.
  case unknownVersion(path: String, found: Int, supported: Int)
  /// The contents belong to another model; `faults` lists every size that differs, or every missing
  /// or misshaped tensor.
  case otherModel(path: String, faults: [String])
  /// The path holds a network of another kind than needed.
  case otherNetwork(path: String, found: String, wanted: String)
  /// The tokenizer has more ids than the vocabulary of the model in its folder.
  case otherTokenizer(path: String, ids: Int, vocabulary: Int)
  /// The weights of an adapter's base model have changed since the adapter was trained.
  case changedBase(path: String, base: String, expected: String, found: String)
  /// The path of a new folder is taken.
  case exists(path: String)
  /// The data read back from a new folder differs from the data written to it.
  case notAsWritten(path: String, what: String)
  /// A weight is beyond the numbers of the type in which it is to be written.
  case outOfRange(path: String, name: String, value: Float, type: String)
  /// The file does not follow the safetensors format.
  case badSafeTensors(path: String, reason: String)
  /// The file holds no tensor of this name.
  case missingTensor(path: String, name: String)
}

extension CheckpointError: CustomStringConvertible {
  /// One sentence: what, where, why, what to do.
  package var description: String {
    switch self {
    case .noModel(let path, let reason):
      """
      \(path) holds no model: \(reason); name a run folder, a checkpoint, or a folder with \
      config.json, model.safetensors and tokenizer.json
      """
    case .notACheckpoint(let path, let reason):
      "\(path) is not a checkpoint: \(reason); name a step-… folder that was published"
    case .damaged(let path, let reason):
      "\(path) is damaged: \(reason); use an earlier checkpoint or restore this one from a copy"
    case .unknownVersion(let path, let found, let supported):
      """
      \(path) has format version \(found) and this program reads version \(supported); use the \
      release of apus that wrote it
      """
    case .otherModel(let path, let faults):
      """
      \(path) holds another model: \(faults.prefix(5).joined(separator: ", "))\
      \(faults.count > 5 ? " and \(faults.count - 5) more" : ""); change the configuration or \
      choose another checkpoint
      """
    case .otherNetwork(let path, let found, let wanted):
      "\(path) holds \(found), where \(wanted) is needed; name another folder"
    case .otherTokenizer(let path, let ids, let vocabulary):
      """
      the tokenizer in \(path) has \(ids) ids and the model's vocabulary has \(vocabulary), so it \
      belongs to another model; put the model's own tokenizer.json there
      """
    case .changedBase(let path, let base, let expected, let found):
      """
      \(path) was trained on the weights of \(base) when their SHA-256 was \(expected), and now it \
      is \(found); restore those weights, or train the adapter again
      """
    case .exists(let path):
      "\(path) exists already; name a folder that does not, or move that one away"
    case .notAsWritten(let path, let what):
      """
      the \(what) read back from \(path) differ from those written, so the folder was removed; \
      check the disk and write it again
      """
    case .outOfRange(let path, let name, let value, let type):
      "\(name) in \(path) holds \(value), which no \(type) number can be; choose another type"
    case .badSafeTensors(let path, let reason):
      "\(path) is not a valid safetensors file: \(reason); write or download it again"
    case .missingTensor(let path, let name):
      "\(path) has no tensor named \(name); check that it holds the weights of this model"
    }
  }
}
