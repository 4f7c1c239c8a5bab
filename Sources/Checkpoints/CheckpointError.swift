/// Contents that cannot be used: a damaged, foreign or unknown checkpoint or weights file; exit
/// code 2.
///
/// What the disk itself refuses is a ``StorageError``.
public enum CheckpointError: Error, Equatable, Sendable {
  /// The path leads to nothing that holds a model.
  case noModel(path: String, reason: String)
  /// The folder holds no manifest, so it is no published checkpoint.
  case notACheckpoint(path: String, reason: String)
  /// The file or folder is not what was written.
  case damaged(path: String, reason: String)
  /// A whole checkpoint in a format of another release.
  case unknownVersion(path: String, found: Int, supported: Int)
  /// What is there belongs to another model: every size that differs, or every missing or misshaped
  /// tensor.
  case otherModel(path: String, faults: [String])
  /// The path holds a network of another kind than is needed.
  case otherNetwork(path: String, found: String, wanted: String)
  /// A tokenizer with more ids than the model of its folder knows.
  case otherTokenizer(path: String, ids: Int, vocabulary: Int)
  /// The weights beside which low-rank maps were trained are no longer those.
  case changedBase(path: String, base: String, expected: String, found: String)
  /// There is something where a new folder was to be written.
  case exists(path: String)
  /// What was read from a folder just written is not what was written to it.
  case notAsWritten(path: String, what: String)
  /// The file does not follow the safetensors format.
  case badSafeTensors(path: String, reason: String)
  /// The file holds no tensor of this name.
  case missingTensor(path: String, name: String)
}

extension CheckpointError: CustomStringConvertible {
  /// One sentence with what, where, why and what to do.
  public var description: String {
    switch self {
    case .noModel(let path, let reason):
      """
      \(path) holds no model: \(reason); name a run folder, a checkpoint, or a folder with \
      config.json, model.safetensors and tokenizer.json
      """
    case .notACheckpoint(let path, let reason):
      "\(path) is not a checkpoint: \(reason); name a step-… folder that was published whole"
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
      the tokenizer in \(path) has \(ids) ids and the model there knows \(vocabulary), so it is \
      another's; put the model's own tokenizer.json there
      """
    case .changedBase(let path, let base, let expected, let found):
      """
      \(path) was trained beside the weights of \(base) when their SHA-256 was \(expected), and now \
      it is \(found); restore those weights, or train the adapter anew
      """
    case .exists(let path):
      "\(path) exists already; name a folder that does not, or move that one away"
    case .notAsWritten(let path, let what):
      """
      \(what) written to \(path) were others when they were read again, so nothing is left there; \
      check the disk and write it once more
      """
    case .badSafeTensors(let path, let reason):
      "\(path) is not a valid safetensors file: \(reason); write or download it again"
    case .missingTensor(let path, let name):
      "\(path) has no tensor named \(name); check that it holds the weights of this model"
    }
  }
}
