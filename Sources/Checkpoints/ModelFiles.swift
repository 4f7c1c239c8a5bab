import Foundation
import Models
import Tensors
import Tokenizers

/// The part of a checkpoint that is a Hugging Face folder: `transformers` opens it as it is.
public struct ModelFiles: Sendable {
  /// The model's sizes.
  public let configuration: any ModelConfiguration
  /// Its parameters' names and places.
  public let layout: ParameterLayout
  /// The tokenizer saved with it.
  public let tokenizer: any Tokenizer

  /// The files of one model.
  public init(
    configuration: any ModelConfiguration, layout: ParameterLayout, tokenizer: any Tokenizer
  ) {
    self.configuration = configuration
    self.layout = layout
    self.tokenizer = tokenizer
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
    var records: [FileRecord] = []
    var small = TokenizerFile.files(of: tokenizer)
    small.append(("config.json", Array(ConfigurationFile.bytes(configuration))))
    small.append(("generation_config.json", Array(generationConfiguration.utf8)))
    for (name, contents) in small {
      var file = try draft.file(name)
      try file.write(contents)
      records.append(try file.close())
    }
    let tensors = layout.entries.sorted { $0.name < $1.name }.map { entry in
      SafeTensor(
        name: entry.name, dtype: .f32, shape: entry.shape,
        bytes: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: values[entry.range])))
    }
    var file = try draft.file(ModelFiles.weightsName)
    try SafeTensorsWriter(tensors, metadata: ["format": "pt"]).write(to: &file)
    records.append(try file.close())
    return records
  }

  private var generationConfiguration: String {
    """
    {
      "_from_model_config": true,
      "bos_token_id": \(tokenizer.endOfText),
      "eos_token_id": \(tokenizer.endOfText)
    }

    """
  }

  /// The weights of the folder at `path`, in a buffer of their own.
  ///
  /// - Throws: `CheckpointError.otherModel` with every missing or misshaped tensor; no memory was
  ///   taken for them then.
  public static func read(folder path: String, layout: ParameterLayout) throws -> FlatBuffer {
    let file = try SafeTensorsFile(path: "\(path)/\(weightsName)")
    let tensors = try tensors(of: layout, in: file, folder: path)
    let values = FlatBuffer(count: layout.count)
    withExtendedLifetime(file) { copy(tensors, of: layout, to: values.elements) }
    return values
  }

  /// Reads the weights of the folder at `path` into `values`.
  ///
  /// - Throws: `CheckpointError.otherModel` with every missing or misshaped tensor; `values` are
  ///   untouched then.
  public static func read(
    folder path: String, layout: ParameterLayout, into values: UnsafeMutableBufferPointer<Float>
  ) throws {
    let file = try SafeTensorsFile(path: "\(path)/\(weightsName)")
    let tensors = try tensors(of: layout, in: file, folder: path)
    withExtendedLifetime(file) { copy(tensors, of: layout, to: values) }
  }

  /// The tensors of the parameters, in their order.
  ///
  /// What else the file holds (the mask buffers of
  /// older files) is passed over.
  private static func tensors(
    of layout: ParameterLayout, in file: SafeTensorsFile, folder: String
  ) throws -> [SafeTensor] {
    let names = Set(file.names)
    var tensors: [SafeTensor] = []
    var faults: [String] = []
    for entry in layout.entries {
      // GPT-2 as first published leaves out the name of the trunk.
      let name = [entry.name, String(entry.name.trimmingPrefix("transformer."))].first(
        where: names.contains)
      guard let name else {
        faults.append("\(entry.name) is missing")
        continue
      }
      let tensor = try file.tensor(named: name)
      guard tensor.shape == entry.shape && tensor.dtype == .f32 else {
        faults.append(
          "\(entry.name) is \(tensor.dtype.rawValue) \(tensor.shape), not F32 \(entry.shape)")
        continue
      }
      tensors.append(tensor)
    }
    guard faults.isEmpty else { throw CheckpointError.otherModel(path: folder, faults: faults) }
    return tensors
  }

  private static func copy(
    _ tensors: [SafeTensor], of layout: ParameterLayout,
    to values: UnsafeMutableBufferPointer<Float>
  ) {
    for (tensor, entry) in zip(tensors, layout.entries) {
      UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: values[entry.range]))
        .copyMemory(from: tensor.bytes)
    }
  }
}
