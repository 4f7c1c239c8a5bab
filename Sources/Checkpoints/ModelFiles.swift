import Files
import Foundation
import Models
import Tensors
import Tokenizers

/// The files of a checkpoint that make it a Hugging Face folder, which `transformers` can open.
package struct ModelFiles: Sendable {
  package let configuration: any NetworkConfiguration
  /// Names and places of the parameters; under LoRA, of the trainable ones.
  package let layout: ParameterLayout
  package let tokenizer: any Tokenizer
  /// The chat template saved with the tokenizer; nil for none.
  package let template: ChatTemplate?
  /// The settings for generating text of the model from which this one was trained; nil for none.
  package let published: GenerationConfiguration?
  /// The base model of a LoRA adapter; nil for a full model.
  package let base: AdapterBase?
  /// The element types of the tensors in the files by parameter name; F32 for the others.
  let types: [String: SafeTensor.DType]

  /// The files of one network.
  ///
  /// - Parameters:
  ///   - base: The base model; required for a layout with LoRA adapters, which is saved as a PEFT
  ///     adapter folder.
  ///   - types: The element types of the tensors other than F32, by parameter name.
  package init(
    configuration: any NetworkConfiguration, layout: ParameterLayout, tokenizer: any Tokenizer,
    template: ChatTemplate? = nil, published: GenerationConfiguration? = nil,
    base: AdapterBase? = nil, types: [String: SafeTensor.DType] = [:]
  ) {
    precondition(layout.lora == nil || base != nil, "a LoRA adapter without its base model")
    self.configuration = configuration
    self.layout = layout
    self.tokenizer = tokenizer
    self.template = template
    self.published = published
    self.base = base
    self.types = types
  }

  static let weightsName = "model.safetensors"

  /// Size of the weights in bytes, for a check of the free space.
  package var byteCount: Int { layout.parameterCount * MemoryLayout<Float>.stride }

  /// Writes all files into `draft` and returns them; none is durable before it is closed.
  ///
  /// - Parameter values: The flat buffer of parameters.
  package func write(_ values: UnsafeBufferPointer<Float>, to draft: CheckpointDraft) throws
    -> [WrittenFile]
  {
    try write(values) { name throws(StorageError) in try draft.file(name) }
  }

  /// Writes all files, each opened by `file`, and returns them.
  func write(
    _ values: UnsafeBufferPointer<Float>, to file: (String) throws(StorageError) -> DurableFile
  ) throws -> [WrittenFile] {
    var files: [WrittenFile] = []
    let padding = (configuration as? SequenceClassifierConfiguration)?.padding
    let model = configuration.model
    var small = TokenizerFile.files(
      of: tokenizer, template: template, padding: padding.map { TokenID($0) },
      // An encoder–decoder has relative positions.
      context: model.prediction == .sequenceToSequence ? nil : model.context)
    small.append(("config.json", Array(ConfigurationFile.bytes(configurationKeys))))
    small.append((GenerationConfiguration.fileName, Array(generationConfiguration.utf8)))
    if let adapters = layout.lora, let base {
      let adapter = AdapterConfiguration(
        of: configuration, layout: layout, adapters: adapters, base: base.path)
      small.append((AdapterConfiguration.fileName, Array(ConfigurationFile.bytes(adapter.json))))
    }
    for (name, contents) in small {
      var open = try file(name)
      try open.write(contents)
      files.append(WrittenFile(open))
    }
    for weights in layout.files {
      let entries = named(weights.entries)
      // The bytes of tensors in 16 bits, which must live until they are written.
      let halves = entries.map { _, entry in
        types[entry.name].map { $0.bits(of: UnsafeBufferPointer(rebasing: values[entry.range])) }
      }
      defer { halves.forEach { $0?.deallocate() } }
      let tensors = zip(entries, halves).map { named, halves in
        SafeTensor(
          name: weights.prefix + named.name, dtype: types[named.entry.name] ?? .f32,
          shape: named.entry.shape,
          bytes: halves.map { UnsafeRawBufferPointer($0) }
            ?? UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: values[named.entry.range])))
      }
      var metadata = ["format": "pt"]
      if let base { metadata[AdapterBase.digestKey] = base.digest }
      var open = try file(weights.name)
      try SafeTensorsWriter(tensors, metadata: metadata).write(to: &open)
      files.append(WrittenFile(open))
    }
    return files
  }

  /// The keys of `config.json`, with the element type of most weights.
  private var configurationKeys: [String: ConfigurationValue] {
    var json = configuration.json
    let counts = Dictionary(
      layout.entries.map { (types[$0.name] ?? .f32, $0.range.count) }, uniquingKeysWith: +)
    let most = counts.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }
    for key in ["dtype", "torch_dtype"] where json[key] != nil {
      json[key] = .text((most?.key ?? .f32).torchName)
    }
    return json
  }

  /// Returns the entries of a file with their names in it, sorted; of an adapter that trains the token
  /// embedding in full, PEFT needs the tied head as well.
  private func named(
    _ entries: [ParameterLayout.Entry]
  ) -> [(name: String, entry: ParameterLayout.Entry)] {
    var named = entries.map { (name: $0.name, entry: $0) }
    if layout.lora != nil, let head = configuration.model.tiedHeadName,
      let embedding = entries.first(where: { $0.name == configuration.model.embeddingName })
    {
      named.append((head, embedding))
    }
    return named.sorted { $0.name < $1.name }
  }

  /// The contents of `generation_config.json`; a chat model also stops at the end of a turn.
  private var generationConfiguration: String {
    GenerationConfiguration.text(
      published, endOfText: tokenizer.endOfText,
      others: template.map { [ChatEncoder($0, tokenizer: tokenizer).endOfTurn] } ?? [],
      of: configuration.model)
  }

  /// Reads the weights of the folder at `path` into a new buffer.
  ///
  /// - Throws: `CheckpointError.otherModel` with every missing or misshaped tensor, before memory
  ///   is allocated.
  package static func read(folder path: String, layout: ParameterLayout) throws -> FlatBuffer {
    try readAll(folder: path, layout: layout).values
  }

  /// Reads the weights, with the element types and the names of the unused tensors in the files.
  static func readAll(folder path: String, layout: ParameterLayout) throws -> NamedWeights {
    let tensors = try FoundTensors(of: layout, in: path)
    let values = FlatBuffer(count: layout.count)
    tensors.copy(to: values.elements)
    return NamedWeights(
      layout: layout, values: values, types: tensors.types, unused: tensors.unused)
  }

  /// Reads the weights of the folder at `path` into `values`.
  ///
  /// - Throws: `CheckpointError.otherModel` with every missing or misshaped tensor; `values` are
  ///   unchanged then.
  package static func read(
    folder path: String, layout: ParameterLayout, into values: UnsafeMutableBufferPointer<Float>
  ) throws {
    try FoundTensors(of: layout, in: path).copy(to: values)
  }
}
