import Models
import Tensors

/// The tensors of a layout's parameters, found in the weights files of a folder.
struct FoundTensors {
  /// Names of the tensors in full weights files that belong to no parameter, sorted.
  private(set) var unused: [String] = []
  /// The element types other than F32, by parameter name.
  private(set) var types: [String: SafeTensor.DType] = [:]
  private let layout: ParameterLayout
  private var tensors: [(tensor: SafeTensor, entry: ParameterLayout.Entry)] = []
  private var files: [ShardedTensors] = []

  /// Finds the tensor of every parameter of `layout`.
  ///
  /// Other tensors in full weights files (mask buffers of older files, other heads) are ignored. In
  /// a layer or an adapter they are faults, because a model without a part of them is another model.
  ///
  /// - Throws: `CheckpointError.otherModel` with every missing, misshaped or surplus tensor.
  init(of layout: ParameterLayout, in folder: String) throws {
    self.layout = layout
    var faults: [String] = []
    var layers: Set<String> = []
    for weights in layout.files {
      let file = try ShardedTensors(folder: folder, name: weights.name)
      files.append(file)
      var rest = Set(file.names)
      for entry in weights.entries {
        let names = ModelFamilies.publishedNames(of: entry.name).map { weights.prefix + $0 }
        layers.formUnion(names.compactMap(Self.layers(of:)))
        let stored = names.first(where: rest.contains)
        guard
          let name = stored
            ?? ModelFamilies.sharedNames(of: entry.name).first(where: file.names.contains)
        else {
          faults.append("\(entry.name) is missing")
          continue
        }
        rest.remove(name)
        let tensor = try file.tensor(named: name)
        guard tensor.shape == entry.shape && tensor.dtype.isFloat else {
          faults.append(
            "\(entry.name) is \(tensor.dtype.rawValue) \(tensor.shape), not F32 \(entry.shape)")
          continue
        }
        tensors.append((tensor, entry))
        if tensor.dtype != .f32 { types[entry.name] = tensor.dtype }
      }
      if layout.lora != nil {
        // PEFT saves a tied head beside the embedding.
        if weights.entries.contains(where: \.isEmbedding) {
          rest.subtract(ModelFamilies.headNames.map { weights.prefix + $0 })
        }
        faults += rest.sorted().map { "\($0) is not part of the configured adapter" }
      } else {
        let isOfLayer = { (name: String) in
          !ModelFamilies.isBuffer(name) && Self.layers(of: name).map(layers.contains) == true
        }
        faults += rest.filter(isOfLayer).sorted().map {
          "\($0) is not part of the configured model"
        }
        unused += rest
      }
    }
    unused.sort()
    guard faults.isEmpty else { throw CheckpointError.otherModel(path: folder, faults: faults) }
  }

  /// Returns the name of the module that numbers the layer of the tensor `name`, such as
  /// `model.layers`; nil for a tensor outside of layers.
  private static func layers(of name: String) -> String? {
    let parts = name.split(separator: ".")
    return parts.firstIndex { Int($0) != nil }.map { parts[..<$0].joined(separator: ".") }
  }

  /// Number of parameter elements in the files by element type.
  var counts: [SafeTensor.DType: Int] {
    Dictionary(tensors.map { ($0.tensor.dtype, $0.entry.range.count) }, uniquingKeysWith: +)
  }

  /// Size of the files in bytes, with headers and unused tensors.
  var fileBytes: Int { files.reduce(0) { $0 + $1.byteCount } }

  /// Number of files.
  var fileCount: Int { files.reduce(0) { $0 + $1.paths.count } }

  /// Copies all tensors to `values` of the layout.
  func copy(to values: UnsafeMutableBufferPointer<Float>) {
    withExtendedLifetime(files) {
      for (tensor, entry) in tensors {
        tensor.copyFloats(to: UnsafeMutableBufferPointer(rebasing: values[entry.range]))
      }
    }
  }

  /// Copies the tensors that `other` has in common with this layout, as
  /// ``ParameterLayout/shared(with:)`` pairs them.
  ///
  /// - Parameter file: The name of the file for error messages.
  /// - Returns: The names of the parameters that are missing here; their values are unchanged.
  /// - Throws: `CheckpointError.damaged` if a copied weight is not finite.
  func copy(
    into values: FlatBuffer, of other: ParameterLayout, file: String
  ) throws(CheckpointError) -> [String] {
    let (pairs, missing) = layout.shared(with: other)
    let byName = Dictionary(
      uniqueKeysWithValues: tensors.map { ($0.entry.name, $0.tensor) })
    for (source, destination) in pairs {
      withExtendedLifetime(files) {
        byName[source.name]?.copyFloats(
          to: UnsafeMutableBufferPointer(rebasing: values.elements[destination.range]))
      }
      try values.requireFinite(destination, in: file)
    }
    return missing
  }
}

extension SafeTensor.DType {
  /// True for the element types of weights: F32, F16 and BF16.
  package var isFloat: Bool { self == .f32 || self == .f16 || self == .bf16 }

  /// PyTorch's name of a type of weights.
  var torchName: String {
    switch self {
    case .f16: "float16"
    case .bf16: "bfloat16"
    default: "float32"
    }
  }

  /// Returns `value` rounded to the nearest number of this type of 16 bits, as its bits.
  private func bits(of value: Float) -> UInt16 {
    if self == .f16 { return Float16(value).bitPattern }
    // To nearest, ties to even.
    let bits = value.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
  }

  /// Returns the bits of finite `values`, rounded to this type of 16 bits; the caller deallocates
  /// them.
  func bits(of values: UnsafeBufferPointer<Float>) -> UnsafeMutableRawBufferPointer {
    let result = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * values.count, alignment: 64)
    for (index, value) in values.enumerated() {
      result.storeBytes(of: bits(of: value), toByteOffset: 2 * index, as: UInt16.self)
    }
    return result
  }

  /// Returns `value` rounded to the nearest number of this type of weights.
  func rounded(_ value: Float) -> Float {
    switch self {
    case .f16: Float(Float16(value))
    case .bf16: Float(bitPattern: UInt32(bits(of: value)) << 16)
    default: value
    }
  }
}

extension SafeTensor {
  /// Copies the elements to `values`, converted to fp32.
  package func copyFloats(to values: UnsafeMutableBufferPointer<Float>) {
    let element = { (index: Int) in
      bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
    }
    switch dtype {
    case .f32: UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
    case .f16: for i in values.indices { values[i] = Float(Float16(bitPattern: element(i))) }
    case .bf16: for i in values.indices { values[i] = Float(bitPattern: UInt32(element(i)) << 16) }
    default: preconditionFailure("\(name) is \(dtype.rawValue), not a type of weights")
    }
  }
}
