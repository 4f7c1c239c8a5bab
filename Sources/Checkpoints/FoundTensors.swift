import Models
import Tensors

/// The tensors of a layout's parameters in the files of a folder.
struct FoundTensors {
  /// What the files of whole weights hold beside the parameters, sorted.
  private(set) var unused: [String] = []
  private var tensors: [(tensor: SafeTensor, place: Range<Int>)] = []
  private var files: [ShardedTensors] = []

  /// What else the files of whole weights hold (the mask buffers of older ones, other heads) is
  /// passed over; an adapter that is passed over would be another model.
  init(of layout: ParameterLayout, in folder: String) throws {
    var faults: [String] = []
    for weights in layout.files {
      let file = try ShardedTensors(folder: folder, name: weights.name)
      files.append(file)
      var rest = Set(file.names)
      for entry in weights.entries {
        let names = PublishedNames.all(of: entry.name).map { weights.prefix + $0 }
        let stored = names.first(where: rest.contains)
        guard
          let name = stored
            ?? PublishedNames.shared(by: entry.name).first(where: file.names.contains)
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
        tensors.append((tensor, entry.range))
      }
      if layout.lowRank != nil {
        faults += rest.sorted().map { "\($0) is not trained here" }
      } else {
        unused += rest
      }
    }
    unused.sort()
    guard faults.isEmpty else { throw CheckpointError.otherModel(path: folder, faults: faults) }
  }

  /// How many of the parameters' numbers the files hold in each type.
  var counts: [SafeTensor.DType: Int] {
    Dictionary(tensors.map { ($0.tensor.dtype, $0.place.count) }, uniquingKeysWith: +)
  }

  /// Bytes of the files, headers and what is not used included.
  var fileBytes: Int { files.reduce(0) { $0 + $1.byteCount } }

  /// How many files there are.
  var fileCount: Int { files.reduce(0) { $0 + $1.paths.count } }

  func copy(to values: UnsafeMutableBufferPointer<Float>) {
    withExtendedLifetime(files) {
      for (tensor, place) in tensors {
        tensor.copyFloats(to: UnsafeMutableBufferPointer(rebasing: values[place]))
      }
    }
  }
}

/// Names under which a parameter was published.
enum PublishedNames {
  /// `name`, and what other releases call it: without the name of the trunk, where the trunk was saved
  /// alone (GPT-2 as first published), with TensorFlow's words for gain and bias of a norm (BERT), and
  /// as part of either stack (T5's embedding).
  static func all(of name: String) -> [String] {
    var names = [name]
    for trunk in ["transformer.", "model.", "bert."] where name.hasPrefix(trunk) {
      names.append(String(name.dropFirst(trunk.count)))
    }
    let norm = "LayerNorm."
    for name in names where name.contains(norm) {
      names.append(
        name.replacing(norm + "weight", with: norm + "gamma")
          .replacing(norm + "bias", with: norm + "beta"))
    }
    if name == "shared.weight" {
      names += ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"]
    }
    return names
  }

  /// Other parameters that are also `name` where a file does not have it: T5's embedding, for a head
  /// that was tied to it.
  static func shared(by name: String) -> [String] {
    name == "lm_head.weight" ? all(of: "shared.weight") : []
  }
}

extension SafeTensor.DType {
  /// Whether elements are numbers that weights are kept in.
  var isFloat: Bool { self == .f32 || self == .f16 || self == .bf16 }
}

extension SafeTensor {
  /// The elements as 32-bit numbers.
  func copyFloats(to values: UnsafeMutableBufferPointer<Float>) {
    let element = { (index: Int) in
      bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
    }
    switch dtype {
    case .f32: UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
    case .f16: for i in values.indices { values[i] = Float(Float16(bitPattern: element(i))) }
    case .bf16: for i in values.indices { values[i] = Float(bitPattern: UInt32(element(i)) << 16) }
    default: preconditionFailure("\(name) is \(dtype.rawValue), no number of weights")
    }
  }
}
