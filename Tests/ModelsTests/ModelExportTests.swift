import Files
import Foundation
import Models
import Testing
import Tokenizers

@testable import Checkpoints
@testable import Tensors

/// An export is read back and compared before it is published.
@Suite struct ModelExportTests {
  static let cases = [
    "gpt2-tied", "gpt2-untied", "qwen3", "mistral-window", "score-llama", "bert", "encoder-bert",
    "score-bert", "tag-bert", "t5-gated", "t5-long", "gemma-gqa",
    "gemma3", "gemma3-long",
  ]

  @Test(arguments: cases) func theExportEqualsTheModel(name: String) throws {
    let folder = try Folder()
    let source = try ModelFolder(path: try folder.copy(golden: name))
    let output = "\(folder.path)/out"
    _ = try ModelExport.write(source, to: output)
    let copy = try ModelFolder(path: output)
    #expect(copy.network.json == source.network.json)
    #expect(try copy.weightsDigest() == InputFile("\(output)/model.safetensors").sha256())
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(left) == [name, "out"])
  }

  /// Weights keep the element type of their files unless another is asked for.
  @Test(arguments: [SafeTensor.DType.f16, .bf16])
  func theExportKeepsTheElementType(type: SafeTensor.DType) throws {
    let folder = try Folder()
    let source = try ModelFolder(path: try folder.copy(golden: "llama-gqa"))
    let rounded = "\(folder.path)/rounded"
    _ = try ModelExport.write(source, to: rounded, as: type)
    let again = "\(folder.path)/again"
    _ = try ModelExport.write(try ModelFolder(path: rounded), to: again)
    for path in [rounded, again] {
      let file = try SafeTensorsFile(path: "\(path)/model.safetensors")
      for name in file.names { #expect(try file.tensor(named: name).dtype == type) }
      let json = String(
        decoding: try Data(contentsOf: URL(fileURLWithPath: "\(path)/config.json")),
        as: UTF8.self)
      #expect(json.contains("\"dtype\": \"\(type == .f16 ? "float16" : "bfloat16")\""))
    }
    let (exact, values) = (try source.weights(), try ModelFolder(path: again).weights())
    #expect(
      zip(values.values.elements, exact.values.elements).allSatisfy { $0 == type.rounded($1) })
    let full = "\(folder.path)/full"
    _ = try ModelExport.write(try ModelFolder(path: again), to: full, as: .f32)
    let file = try SafeTensorsFile(path: "\(full)/model.safetensors")
    #expect(try file.names.allSatisfy { try file.tensor(named: $0).dtype == .f32 })
  }

  /// Rounding is to the nearest number, ties to even, as PyTorch's.
  @Test(arguments: [
    (Float(1.00390625), Float(1)), (1.01171875, 1.015625), (-1.004, -1.0078125),
    (3.3961776e38, .infinity), (1e-40, 0x1p-133),
  ])
  func bf16RoundsTiesToEven(value: Float, rounded: Float) {
    #expect(SafeTensor.DType.bf16.rounded(value) == rounded)
  }

  @Test func aWeightBeyondTheTypeIsRefused() throws {
    let folder = try Folder()
    let source = try ModelFolder(path: try folder.copy(golden: "llama-gqa"))
    var weights = try source.weights()
    weights.values.elements[3] = 70_000
    let error = try #require(throws: CheckpointError.self) {
      try weights.round(to: .f16, in: "there")
    }
    #expect("\(error)".contains("holds 70000.0, which no float16 number can be"))
    try weights.round(to: .bf16, in: "there")
  }

  /// Damage that a disk may do to a file between writing and reading.
  enum Fault: String, CaseIterable {
    case weight, epsilon, frequency, tokenizer, truncation, absence

    /// The part that the error names; nil when the folder cannot be read at all.
    var what: String? {
      switch self {
      case .weight: "weights"
      // The weights are the same, but the model is different.
      case .epsilon, .frequency: "logits"
      case .tokenizer: "token ids"
      case .truncation, .absence: nil
      }
    }

    func strike(_ draft: String, _ folder: Folder) throws {
      let weights = "\(draft)/model.safetensors"
      var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: weights)))
      switch self {
      case .weight:
        bytes[bytes.count - 4] ^= 1
        try folder.write(bytes, to: weights)
      case .truncation: try folder.write(bytes.dropLast(), to: weights)
      case .absence: try FileManager.default.removeItem(atPath: weights)
      case .epsilon:
        try folder.replace(
          "\"rms_norm_eps\": 1", by: "\"rms_norm_eps\": 2", in: "\(draft)/config.json")
      case .frequency:
        try folder.replace(
          "\"rope_theta\": 5", by: "\"rope_theta\": 6", in: "\(draft)/config.json")
      case .tokenizer:
        try folder.replace("word7", by: "ward7", in: "\(draft)/tokenizer.json")
      }
    }
  }

  @Test(arguments: Fault.allCases) func damageDuringTheWriteIsDetected(fault: Fault) throws {
    let folder = try Folder()
    let source = try ModelFolder(path: try folder.copy(golden: "llama-gqa"))
    let output = "\(folder.path)/out"
    let error = try #require(throws: (any Error).self) {
      _ = try ModelExport.write(source, to: output) { try fault.strike($0, folder) }
    }
    if let what = fault.what {
      #expect(error as? CheckpointError == .notAsWritten(path: output, what: what), "\(error)")
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(left == ["llama-gqa"], "\(fault)")
  }
}
