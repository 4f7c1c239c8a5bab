import Foundation
import Layers
import Models
import Optimizers
import Testing

@testable import Checkpoints
@testable import Tensors

/// Logits, gradients and ten AdamW losses compared with PyTorch's; the values were written by
/// `Goldens/generate.py` and `generate_t5.py`.
@Suite struct GoldenTests {
  static let cases = [
    "gpt2-tied", "gpt2-untied", "gpt2-long", "llama-mha", "llama-gqa", "llama-long",
    "mistral-window", "mistral-long", "qwen2", "qwen2-window", "qwen3", "qwen3-bias", "llama-bias",
    "llama-rope3", "llama-linear", "qwen2-yarn", "bert", "bert-tanh", "bert-long", "t5-relu",
    "t5-gated", "t5-long", "mt5", "gemma-mha", "gemma-gqa", "gemma3", "gemma3-long",
  ]

  /// The largest accepted differences, relative to the tensor's largest entry.
  ///
  /// Wrong mathematics gives 5e-5 and above (see the generator's header); rounding to fp32 stays
  /// below these.
  static let tolerance: (logits: Float, gradients: Float, losses: Float) = (5e-6, 1e-5, 5e-6)

  /// Returns the path of `name` in the folder of goldens.
  static func path(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Goldens/\(name)").path
  }

  @Test(arguments: cases) func logitsAndGradientsEqualPyTorchs(name: String) throws {
    let golden = try Golden(name)
    // The logits of padding are not compared.
    let logitsError = worst(
      golden.withoutPadding(golden.logits().values),
      golden.withoutPadding(try golden.floats("logits")))
    #expect(logitsError <= Self.tolerance.logits)

    let gradients = FlatBuffer(count: golden.layout.count)
    golden.workspace.beginGradients(into: gradients)
    let loss = golden.workspace.recording { golden.meanLoss() }
    #expect(abs(loss.scalar - (try golden.floats("loss")[0])) <= 1e-6 * abs(loss.scalar))
    golden.workspace.backward(from: loss) { _ in }
    var worstError: Float = 0
    for entry in golden.layout.entries {
      let error = worst(
        Array(gradients.elements[entry.range]), try golden.floats("grad.\(entry.name)"))
      worstError = max(worstError, error)
      #expect(error <= Self.tolerance.gradients, "\(entry.name)")
    }
    // The generator and the layout have the same parameters.
    #expect(golden.gradientNames == golden.layout.entries.map(\.name).sorted())
    print("\(name): worst error of the logits \(logitsError), of the gradients \(worstError)")
  }

  @Test(arguments: cases) func tenTrainingLossesEqualPyTorchs(name: String) throws {
    let golden = try Golden(name)
    let expected = try golden.floats("losses")
    let norms = try golden.floats("grad_norm")
    let rule = AdamW(betas: (0.9, 0.95), weightDecay: 0.1)
    let gradients = FlatBuffer(count: golden.layout.count)
    let m = FlatBuffer(count: golden.layout.count)
    let v = FlatBuffer(count: golden.layout.count)
    var worstError: Float = 0
    var worstNorm = 0.0
    for step in 0..<10 {
      golden.workspace.beginGradients(into: gradients)
      let loss = golden.workspace.recording { golden.meanLoss() }
      let error = abs(loss.scalar - expected[step]) / expected[step]
      worstError = max(worstError, error)
      #expect(
        error <= Self.tolerance.losses, "step \(step): \(loss.scalar), not \(expected[step])")
      golden.workspace.backward(from: loss) { _ in }
      let norm = gradients.elements.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      let bound = Double(Self.tolerance.gradients) * golden.largestError(of: gradients)
      #expect(abs(norm - Double(norms[step])) <= bound, "step \(step)")
      worstNorm = max(worstNorm, abs(norm - Double(norms[step])) / bound)
      for entry in golden.layout.entries {
        let start = entry.range.lowerBound
        rule.update(
          UnsafeMutableBufferPointer(rebasing: golden.parameters.elements[entry.range]),
          state: [m, v].map { $0.elements.baseAddress! + start },
          along: gradients.elements.baseAddress! + start, factor: Float(min(1, 1 / norm)),
          learningRate: 1e-3, decays: entry.decays, update: step + 1)
      }
    }
    print(
      "\(name): worst error of ten losses \(worstError), of the norms \(worstNorm) of the bound")
  }

  /// The largest difference, relative to the largest expected entry.
  private func worst(_ values: [Float], _ expected: [Float]) -> Float {
    guard values.count == expected.count else { return .infinity }
    let size = expected.reduce(Float.leastNormalMagnitude) { max($0, abs($1)) }
    // A gradient that is zero in exact arithmetic is compared absolutely.
    let scale = size < 1e-9 ? 1 : size
    return zip(values, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
  }
}

/// One golden folder, with its model bound to a workspace.
private final class Golden {
  let configuration: any ModelConfiguration
  let layout: ParameterLayout
  let parameters: FlatBuffer
  let workspace = Workspace()
  let model: any LanguageModel
  private let file: SafeTensorsFile

  init(_ name: String) throws {
    let folder = GoldenTests.path(name)
    configuration = try ConfigurationFile.read("\(folder)/config.json")
    layout = configuration.layout
    parameters = FlatBuffer(count: layout.count)
    try ModelFiles.read(folder: folder, layout: layout, into: parameters.elements)
    model = workspace.bind(layout, values: parameters, configuration.build)
    file = try SafeTensorsFile(path: "\(folder)/golden.safetensors")
  }

  /// Names of the parameters that have a gradient, sorted.
  var gradientNames: [String] {
    file.names.filter { $0.hasPrefix("grad.") }.map { String($0.dropFirst(5)) }.sorted()
  }

  func floats(_ name: String) throws -> [Float] {
    let tensor = try file.tensor(named: name)
    return (0..<tensor.bytes.count / 4).map {
      tensor.bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)
    }
  }

  private func integers(_ name: String) -> [Int32] {
    guard let tensor = try? file.tensor(named: name) else { return [] }
    return (0..<tensor.bytes.count / 4).map {
      tensor.bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)
    }
  }

  private var sequences: Int { (try? file.tensor(named: "input_ids").shape[0]) ?? 0 }

  func logits() -> Tensor {
    let ids = integers("input_ids")
    let sources = integers("sources")
    // The padding of a sequence is an example of its own.
    let length = Int32(ids.count / sequences)
    let starts = integers("lengths").flatMap { own in (0..<length).map { $0 < own ? 0 : own } }
    let pass = ForwardPass(
      sequences: sequences, starts: starts,
      encoderInput: sources.isEmpty
        ? nil : EncoderInput(ids: sources, lengths: integers("source_lengths")))
    return model.logits(ids, pass)
  }

  /// Returns the logits of each sequence without its padding.
  func withoutPadding(_ logits: [Float]) -> [Float] {
    let lengths = integers("lengths")
    let size = logits.count / sequences
    let columns = configuration.vocabulary
    return lengths.isEmpty
      ? logits
      : lengths.enumerated().flatMap { logits[$0 * size..<$0 * size + Int($1) * columns] }
  }

  /// √(Σ n·max²) over the parameters: the Euclidean norm of an error that is as large as the
  /// largest entry of each gradient in all of its n elements.
  ///
  /// The norm of a gradient whose elements err by at most ε of their parameter's largest entry errs
  /// by at most ε times this, by the triangle inequality.
  func largestError(of gradients: FlatBuffer) -> Double {
    layout.entries.reduce(0.0) { sum, entry in
      let largest = gradients.elements[entry.range].reduce(0) { max($0, abs($1)) }
      return sum + Double(entry.range.count) * Double(largest) * Double(largest)
    }.squareRoot()
  }

  /// Returns Σ weight·loss ÷ Σ weight.
  func meanLoss() -> Tensor {
    let weights = (try? floats("weights")) ?? []
    return logits().crossEntropyConsumingLogits(targets: integers("targets"), weights: weights)
      .sum() * (1 / weights.reduce(0, +))
  }
}
