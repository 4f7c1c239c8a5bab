import Glibc
import Models
import Tokenizers

/// The folder of a model, found and read but for its weights.
public struct ModelFolder: Sendable {
  /// What the folder has of the weights.
  indirect enum Contents: Sendable {
    /// All of them.
    case whole
    /// Low-rank maps, with the folder beside whose weights they were trained, and the SHA-256 these
    /// had then, if it is known.
    case adapter(AdapterConfiguration, base: ModelFolder, digest: String?)
  }

  /// The folder that holds `config.json`, or of an adapter `adapter_config.json`.
  public let path: String
  /// What is here: a language model, a sequence scorer, or an encoder without a head.
  public let network: any NetworkConfiguration
  /// Its tokenizer.
  public let tokenizer: any Tokenizer
  /// The damaged checkpoints of a run folder that were newer, newest first.
  let passedOver: [SetAside]
  let contents: Contents

  /// Looks into a run folder (its newest whole checkpoint), a checkpoint, or any folder with
  /// `config.json`, `model.safetensors` and a tokenizer.
  ///
  /// A reader changes nothing: a damaged checkpoint of a run folder is passed over, not set aside.
  /// One that is named itself is refused. Of an adapter (PEFT's folder, with or without a
  /// `config.json` and a tokenizer) the base is opened as well: it is looked for at the path that the
  /// adapter names, and beside the adapter's folder.
  public init(path: String) throws {
    try self.init(path: path, verifies: true)
  }

  /// Looks into the same folders without reading their weights: of a checkpoint the files are not
  /// compared with its manifest, and of a run folder the newest is taken as it is.
  public init(unverified path: String) throws {
    try self.init(path: path, verifies: false)
  }

  private init(path: String, verifies: Bool) throws {
    let (path, passedOver) = try ModelFolder.find(path, verifies: verifies)
    let configurationPath = "\(path)/config.json"
    let hasConfiguration = try FileSystem.exists(configurationPath)
    var base: ModelFolder?
    if try FileSystem.exists("\(path)/\(AdapterConfiguration.fileName)") {
      let adapter = try AdapterConfiguration(folder: path)
      let found = try ModelFolder.base(adapter.base, of: path, verifies: verifies)
      let weights = try SafeTensorsFile(path: "\(path)/\(AdapterConfiguration.weightsName)")
      contents = .adapter(
        adapter, base: found, digest: weights.metadata[AdapterBase.digestKey])
      base = found
    } else {
      contents = .whole
    }
    if let base, !hasConfiguration {
      network = base.network
    } else {
      network = try ConfigurationFile.readNetwork(configurationPath)
    }
    do {
      tokenizer = try TokenizerFile.load(from: path)
    } catch {
      guard let base, case .noTokenizer = error else { throw error }
      tokenizer = base.tokenizer
    }
    let (ids, vocabulary) = (tokenizer.vocabularySize, network.model.vocabulary)
    guard ids <= vocabulary else {
      throw CheckpointError.otherTokenizer(path: path, ids: ids, vocabulary: vocabulary)
    }
    self.path = path
    self.passedOver = passedOver
  }

  /// The sizes of the language model that is here, or whose trunk is.
  public var configuration: any ModelConfiguration { network.model }

  /// The sequence scorer that is here; nil for another network.
  public var scorer: SequenceScorerConfiguration? { network as? SequenceScorerConfiguration }

  /// What is here, for people.
  public var kind: String {
    switch network {
    case is SequenceScorerConfiguration: "a model that scores sequences"
    case is TokenTaggerConfiguration: "a model that gives tokens classes"
    case is TextEncoderConfiguration: "an encoder without a head"
    default: "a language model"
    }
  }

  /// The language model that is here.
  ///
  /// - Throws: `CheckpointError.otherNetwork` for another network.
  public func languageModel() throws(CheckpointError) -> any ModelConfiguration {
    if let model = network as? any ModelConfiguration { return model }
    throw .otherNetwork(path: path, found: kind, wanted: "a language model")
  }

  /// Refuses a network that does not go on with a text.
  ///
  /// - Parameter allowingTargets: Whether one may also write a target to a source.
  public func requireWriter(allowingTargets: Bool = false) throws(CheckpointError) {
    switch try languageModel().prediction {
    case .nextToken: return
    case .target:
      if allowingTargets { return }
      throw .otherNetwork(
        path: path, found: ModelFolder.targetModel, wanted: "one that goes on with a text")
    case .maskedToken:
      throw .otherNetwork(
        path: path, found: "a model that tells masked tokens", wanted: "one that writes text")
    }
  }

  /// Refuses an encoder–decoder where a text alone is read.
  public func requireOneStack() throws(CheckpointError) {
    guard configuration.prediction == .target else { return }
    throw .otherNetwork(
      path: path, found: ModelFolder.targetModel, wanted: "one of a single stack")
  }

  private static let targetModel = "a model that writes a target to a source"

  /// A sentence for every damaged checkpoint that was passed over.
  var notes: [String] {
    passedOver.map { "\($0.name) is passed over for \(path): \($0.reason)." }
  }

  /// The folder that an adapter in `folder` names as its base.
  private static func base(
    _ name: String, of folder: String, verifies: Bool
  ) throws -> ModelFolder {
    let beside = "\(FileSystem.parent(of: folder))/\(name)"
    for path in [name, beside] where try FileSystem.kind(of: path) == S_IFDIR {
      return try ModelFolder(path: path, verifies: verifies)
    }
    throw CheckpointError.noModel(
      path: folder,
      reason: "its \(AdapterConfiguration.fileName) names the base \(name), "
        + "which is no folder here")
  }

  /// The name of the file with its weights, or with an adapter's.
  var weightsName: String {
    if case .whole = contents { ModelFiles.weightsName } else { AdapterConfiguration.weightsName }
  }

  /// The SHA-256 of its weights, or of an adapter's: from the manifest of a checkpoint, else of the
  /// file, read whole.
  public func weightsDigest() throws -> String {
    let name = weightsName
    if try FileSystem.exists("\(path)/\(Manifest.fileName)") {
      let files = try Checkpoint(verifiedElsewhere: path).manifest.files
      if let file = files.first(where: { $0.name == name }) { return file.sha256 }
    }
    return try ShardedTensors(folder: path, name: name).paths.map {
      try FileDigest.digest(ofFileAt: $0)
    }.joined(separator: " ")
  }

  private static func find(
    _ path: String, verifies: Bool
  ) throws -> (String, passedOver: [SetAside]) {
    let kind = try FileSystem.kind(of: path)
    guard kind == S_IFDIR else {
      throw CheckpointError.noModel(
        path: path, reason: kind == nil ? "it does not exist" : "it is not a folder")
    }
    if try FileSystem.exists("\(path)/\(Manifest.fileName)") {
      return (
        verifies
          ? try Checkpoint(verifying: path).path
          : try Checkpoint(verifiedElsewhere: path).path, []
      )
    }
    for name in ["config.json", AdapterConfiguration.fileName]
    where try FileSystem.exists("\(path)/\(name)") {
      return (path, [])
    }
    let store = CheckpointStore(path: "\(path)/checkpoints")
    if !verifies, let newest = try store.publishedSteps().last {
      return try find(store.path(of: .published(step: newest)), verifies: false)
    }
    let recovery = try store.newestWhole()
    if let newest = recovery.checkpoint { return (newest.path, recovery.setAside) }
    // Of several damaged ones the newest is the one that somebody wants.
    let reason = recovery.setAside.first.map { "its newest checkpoint is of no use: \($0.reason)" }
    throw CheckpointError.noModel(
      path: path,
      reason: reason ?? "it has neither config.json nor adapter_config.json nor a whole checkpoint")
  }
}
