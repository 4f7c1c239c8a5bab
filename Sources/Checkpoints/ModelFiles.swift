import Foundation
import Models
import Tensors
import Tokenizers

/// The part of a checkpoint that is a Hugging Face folder: `transformers` opens it as it is.
public struct ModelFiles: Sendable {
  /// The network's sizes.
  public let configuration: any NetworkConfiguration
  /// Its parameters' names and places; of a network under LoRA, those that are trained.
  public let layout: ParameterLayout
  /// The tokenizer saved with it.
  public let tokenizer: any Tokenizer
  /// The chat template saved with the tokenizer; nil for none.
  public let template: ChatTemplate?
  /// The model beside which low-rank maps are trained.
  public let base: AdapterBase?

  /// The files of one network.
  ///
  /// - Parameter base: For a layout with low-rank maps: it is saved as PEFT's folder of an adapter.
  public init(
    configuration: any NetworkConfiguration, layout: ParameterLayout, tokenizer: any Tokenizer,
    template: ChatTemplate? = nil, base: AdapterBase? = nil
  ) {
    precondition(layout.lowRank == nil || base != nil, "low-rank maps without their base")
    self.configuration = configuration
    self.layout = layout
    self.tokenizer = tokenizer
    self.template = template
    self.base = base
  }

  static let weightsName = "model.safetensors"

  /// Bytes of the weights, for a look at the free space.
  public var byteCount: Int { layout.parameterCount * MemoryLayout<Float>.stride }

  /// Writes all files into `draft` and returns their records.
  ///
  /// - Parameter values: The flat buffer of parameters.
  public func write(_ values: UnsafeBufferPointer<Float>, to draft: CheckpointDraft) throws
    -> [FileRecord]
  {
    try write(values) { name throws(StorageError) in try draft.file(name) }
  }

  /// Writes all files, each to where `file` opens it, and returns their records.
  func write(
    _ values: UnsafeBufferPointer<Float>, to file: (String) throws(StorageError) -> DurableFile
  ) throws -> [FileRecord] {
    var records: [FileRecord] = []
    var small = TokenizerFile.files(of: tokenizer, template: template)
    small.append(("config.json", Array(ConfigurationFile.bytes(configuration))))
    small.append(("generation_config.json", Array(generationConfiguration.utf8)))
    if let maps = layout.lowRank, let base {
      let json = AdapterConfiguration.json(
        of: configuration, layout: layout, maps: maps, base: base.path)
      small.append((AdapterConfiguration.fileName, Array(ConfigurationFile.bytes(json))))
    }
    for (name, contents) in small {
      var open = try file(name)
      try open.write(contents)
      records.append(try open.close())
    }
    for weights in layout.files {
      let tensors = weights.entries.sorted { $0.name < $1.name }.map { entry in
        SafeTensor(
          name: weights.prefix + entry.name, dtype: .f32, shape: entry.shape,
          bytes: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: values[entry.range])))
      }
      var metadata = ["format": "pt"]
      if let base { metadata[AdapterBase.digestKey] = base.digest }
      var open = try file(weights.name)
      try SafeTensorsWriter(tensors, metadata: metadata).write(to: &open)
      records.append(try open.close())
    }
    return records
  }

  private var generationConfiguration: String {
    // A model that writes turns stops at the end of one.
    let turn = template.map { ChatEncoder($0, tokenizer: tokenizer).endOfTurn }
    let ends = Set([tokenizer.endOfText, turn ?? tokenizer.endOfText]).sorted()
    let model = configuration.model
    let ofTargets = model.start.map {
      """

        "decoder_start_token_id": \($0),
        "pad_token_id": \(model.padding ?? $0),
      """
    }
    return """
      {
        "_from_model_config": true,
        "bos_token_id": \(tokenizer.endOfText),\(ofTargets ?? "")
        "eos_token_id": \(ends.count == 1 ? "\(ends[0])" : "\(ends)")
      }

      """
  }

  /// The weights of the folder at `path`, in a buffer of their own.
  ///
  /// - Throws: `CheckpointError.otherModel` with every missing or misshaped tensor; no memory was
  ///   taken for them then.
  public static func read(folder path: String, layout: ParameterLayout) throws -> FlatBuffer {
    try readAll(folder: path, layout: layout).values
  }

  /// The weights, with the names of what else is in the files.
  static func readAll(folder path: String, layout: ParameterLayout) throws
    -> (values: FlatBuffer, unused: [String])
  {
    let tensors = try FoundTensors(of: layout, in: path)
    let values = FlatBuffer(count: layout.count)
    tensors.copy(to: values.elements)
    return (values, tensors.unused)
  }

  /// Reads the weights of the folder at `path` into `values`.
  ///
  /// - Throws: `CheckpointError.otherModel` with every missing or misshaped tensor; `values` are
  ///   untouched then.
  public static func read(
    folder path: String, layout: ParameterLayout, into values: UnsafeMutableBufferPointer<Float>
  ) throws {
    try FoundTensors(of: layout, in: path).copy(to: values)
  }
}
