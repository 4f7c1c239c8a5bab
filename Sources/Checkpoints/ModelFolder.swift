import Files
import Glibc
import Models
import Tokenizers

/// A model's folder, read except for the weights.
package struct ModelFolder: Sendable {
  /// The kind of weights in the folder.
  indirect enum Contents: Sendable {
    /// Full weights.
    case full
    /// A LoRA adapter, with the folder of its base model, and the SHA-256 of the base's weights at
    /// training time, if known.
    case adapter(AdapterConfiguration, base: ModelFolder, digest: String?)
  }

  /// The folder that holds `config.json`, or `adapter_config.json` for an adapter.
  package let path: String
  /// The network: a language model, a sequence or token classifier, or an encoder without a head.
  package let network: any NetworkConfiguration
  package let tokenizer: any Tokenizer
  /// The folder that holds the tokenizer: this one, or that of an adapter's base model.
  package let tokenizerPath: String
  /// The model's settings for generating text.
  package let generation: GenerationConfiguration
  /// The keys of `config.json` that are ignored because their effect is unknown.
  let unknownKeys: [String]
  /// The newer, damaged checkpoints of a run folder that were skipped, newest first.
  let skipped: [SetAside]
  let contents: Contents

  /// Opens a run folder (its newest intact checkpoint), a checkpoint, or any folder with
  /// `config.json`, `model.safetensors` and a tokenizer.
  ///
  /// Nothing is changed: a damaged checkpoint of a run folder is skipped, not set aside; a damaged
  /// checkpoint named by `path` is refused. For an adapter (PEFT's folder, with or without a
  /// `config.json` and a tokenizer) the base model is opened as well: at the path that the adapter
  /// names, or next to the adapter's folder.
  ///
  /// - Parameter readsTokenizer: False to ignore the folder's tokenizer, if it has one; `tokenizer` is
  ///   then that of bytes.
  package init(path: String, readsTokenizer: Bool = true) throws {
    try self.init(path: path, verifies: true, readsTokenizer: readsTokenizer)
  }

  /// Opens the same folders without verification: a checkpoint's files are not compared with its
  /// manifest, and of a run folder the newest checkpoint is used.
  package init(unverified path: String) throws {
    try self.init(path: path, verifies: false, readsTokenizer: true)
  }

  /// - Parameter adapters: The folders of the adapters of which this is the base model.
  private init(
    path: String, verifies: Bool, readsTokenizer: Bool, adapters: [FileStatus.Identity] = []
  ) throws {
    let (path, skipped) = try ModelFolder.find(path, verifies: verifies)
    let configurationPath = "\(path)/config.json"
    let hasConfiguration = try FileSystem.exists(configurationPath)
    var base: ModelFolder?
    var adapted: (any NetworkConfiguration)?
    if try FileSystem.exists("\(path)/\(AdapterConfiguration.fileName)") {
      let adapter = try AdapterConfiguration(folder: path)
      let own = FileStatus(path)?.identity
      guard let own, !adapters.contains(own) else {
        throw CheckpointError.noModel(
          path: path,
          reason: "its \(AdapterConfiguration.fileName) names the base \(adapter.base), and so the "
            + "adapter is its own base")
      }
      let found = try ModelFolder.base(
        adapter.base, of: path, verifies: verifies, readsTokenizer: readsTokenizer,
        adapters: adapters + [own])
      let weights = try SafeTensorsFile(path: "\(path)/\(AdapterConfiguration.weightsName)")
      contents = .adapter(
        adapter, base: found, digest: weights.metadata[AdapterBase.digestKey])
      base = found
      adapted = hasConfiguration ? nil : try found.adaptedNetwork(adapter, weights)
    } else {
      contents = .full
    }
    if let base, let adapted {
      network = adapted
      generation = base.generation
      unknownKeys = []
    } else {
      network = try ModelFolder.readNetwork(configurationPath, isFull: base == nil)
      generation = try GenerationConfiguration(folder: path, of: network.model)
      unknownKeys = try ConfigurationFile.unknownKeys(configurationPath, of: network)
    }
    self.path = path
    self.skipped = skipped
    guard readsTokenizer else {
      (tokenizer, tokenizerPath) = (ByteTokenizer(), path)
      return
    }
    do {
      tokenizer = try TokenizerFile.load(from: path, rows: network.model.vocabulary)
      tokenizerPath = path
    } catch {
      guard let base, case .noTokenizer = error else { throw error }
      (tokenizer, tokenizerPath) = (base.tokenizer, base.tokenizerPath)
    }
    let (ids, vocabulary) = (tokenizer.vocabularySize, network.model.vocabulary)
    guard ids <= vocabulary else {
      throw CheckpointError.otherTokenizer(path: path, ids: ids, vocabulary: vocabulary)
    }
  }

  /// Returns the chat template in the folder, or beside the tokenizer of an adapter's base model; nil
  /// when there is none.
  package func chatTemplate() throws -> ChatTemplate? {
    try TokenizerFile.template(from: path, for: tokenizer)
      ?? TokenizerFile.template(from: tokenizerPath, for: tokenizer)
  }

  /// The language model in the folder, or the one with the same backbone.
  package var configuration: any ModelConfiguration { network.model }

  /// The sequence classifier in the folder; nil for another network.
  package var classifier: SequenceClassifierConfiguration? {
    network as? SequenceClassifierConfiguration
  }

  /// The kind of the network, for messages.
  package var kind: String {
    switch network {
    case let classifier as SequenceClassifierConfiguration: classifier.kind
    case is TokenClassifierConfiguration: "a token classifier"
    case is TextEncoderConfiguration: "an encoder without a head"
    default: "a language model"
    }
  }

  /// Returns the language model in the folder.
  ///
  /// - Throws: `CheckpointError.otherNetwork` for another network.
  package func languageModel() throws(CheckpointError) -> any ModelConfiguration {
    if let model = network as? any ModelConfiguration { return model }
    throw .otherNetwork(path: path, found: kind, wanted: "a language model")
  }

  /// Refuses a network that does not generate text.
  ///
  /// - Parameter allowingSequenceToSequence: True to accept an encoder–decoder.
  package func requireGenerativeModel(
    allowingSequenceToSequence: Bool = false
  ) throws(CheckpointError) {
    let prediction = try languageModel().prediction
    guard prediction.generatesText else {
      throw .otherNetwork(
        path: path, found: prediction.modelKind, wanted: "a model that generates text")
    }
    guard prediction != .sequenceToSequence || allowingSequenceToSequence else {
      throw .otherNetwork(
        path: path, found: prediction.modelKind, wanted: "a causal language model")
    }
  }

  /// Refuses an encoder–decoder, for uses that have one text as input.
  package func refuseEncoderDecoder() throws(CheckpointError) {
    let prediction = configuration.prediction
    guard prediction == .sequenceToSequence else { return }
    throw .otherNetwork(
      path: path, found: prediction.modelKind, wanted: "an encoder or a decoder alone")
  }

  /// Notes about damaged checkpoints that were skipped and about keys that are ignored, here and in
  /// the base model's folder.
  package var notes: [String] {
    var notes = skipped.map { "\($0.name) is skipped and \(path) is used: \($0.reason)." }
    if !unknownKeys.isEmpty {
      notes.append(
        "\(path)/config.json has \(unknownKeys.joined(separator: ", ")), which transformers' class "
          + "for its model_type does not have: \(unknownKeys.count == 1 ? "it is" : "they are") "
          + "ignored, as there.")
    }
    notes += (try? TokenizerFile.notes(from: path, for: tokenizer)) ?? []
    if case .adapter(_, let base, _) = contents { notes += base.notes }
    return notes
  }

  /// Opens the folder `name` that an adapter in `folder` names as its base model.
  private static func base(
    _ name: String, of folder: String, verifies: Bool, readsTokenizer: Bool,
    adapters: [FileStatus.Identity]
  ) throws -> ModelFolder {
    let beside = "\(FileSystem.parent(of: folder))/\(name)"
    for path in [name, beside] where try FileSystem.kind(of: path) == .folder {
      return try ModelFolder(
        path: path, verifies: verifies, readsTokenizer: readsTokenizer, adapters: adapters)
    }
    throw CheckpointError.noModel(
      path: folder,
      reason: "its \(AdapterConfiguration.fileName) names the base \(name), "
        + "which is not a folder here")
  }

  /// The name of the weights file, full or of an adapter.
  var weightsName: String {
    if case .full = contents { ModelFiles.weightsName } else { AdapterConfiguration.weightsName }
  }

  /// Returns the SHA-256 of the weights file, full or of an adapter.
  ///
  /// It comes from the manifest of a checkpoint, else it is computed from the file. Shards have one
  /// each, separated by spaces.
  package func weightsDigest() throws -> String {
    let name = weightsName
    if try FileSystem.exists("\(path)/\(Manifest.fileName)") {
      let files = try Checkpoint(verifiedElsewhere: path).manifest.files
      if let file = files.first(where: { $0.name == name }) { return file.sha256 }
    }
    return try ShardedTensors(folder: path, name: name).paths.map {
      try InputFile($0).sha256()
    }.joined(separator: " ")
  }

  private static func find(
    _ path: String, verifies: Bool
  ) throws -> (String, skipped: [SetAside]) {
    let kind = try FileSystem.kind(of: path)
    guard kind == .folder else {
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
      try Checkpoint.refuseWithoutManifest(path)
      return (path, [])
    }
    let store = CheckpointStore(path: "\(path)/checkpoints")
    if !verifies, let newest = try store.publishedSteps().last {
      return try find(store.path(of: .published(step: newest)), verifies: false)
    }
    let recovery = try store.newestIntact()
    if let newest = recovery.checkpoint { return (newest.path, recovery.setAside) }
    // If several are damaged, the message names the newest.
    let reason = recovery.setAside.first.map { "its newest checkpoint is damaged: \($0.reason)" }
    throw CheckpointError.noModel(
      path: path,
      reason: reason
        ?? "it has neither config.json nor adapter_config.json nor an intact checkpoint")
  }
}
