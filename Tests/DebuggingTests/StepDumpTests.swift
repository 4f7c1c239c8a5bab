import Checkpoints
import Foundation
import Layers
import Models
import Tensors
import TestFolders
import Testing

@testable import Debugging

/// Dumps of the golden models, whose values PyTorch computed.
@Suite struct StepDumpTests {
  private static let goldens = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("ModelsTests/Goldens").path

  /// A golden folder with its batch.
  private struct Golden {
    let configuration: any ModelConfiguration
    let layout: ParameterLayout
    let parameters: FlatBuffer
    let batch: LabelledBatch
    let file: SafeTensorsFile

    init(_ name: String) throws {
      let folder = "\(StepDumpTests.goldens)/\(name)"
      configuration = try ConfigurationFile.read("\(folder)/config.json")
      layout = configuration.layout
      parameters = FlatBuffer(count: layout.count)
      try ModelFiles.read(folder: folder, layout: layout, into: parameters.elements)
      file = try SafeTensorsFile(path: "\(folder)/golden.safetensors")
      let ids: [Int32] = try file.elements("input_ids")
      let sequences = try file.tensor(named: "input_ids").shape[0]
      batch = LabelledBatch(
        ids: ids, pass: ForwardPass(sequences: sequences), targets: try file.elements("targets"),
        weights: try file.elements("weights"))
    }

    func dump(hasGradients: Bool = true, to path: String) throws -> SafeTensorsFile {
      try StepDump(
        configuration, layout: layout, parameters: parameters, batch: batch,
        hasGradients: hasGradients, in: Workspace()
      ).write(to: path)
      return try SafeTensorsFile(path: path)
    }
  }

  @Test(arguments: ["llama-gqa", "gpt2-tied", "gemma3", "qwen3"])
  func logitsAndGradientsEqualPyTorchs(name: String) throws {
    let golden = try Golden(name)
    let folder = try TemporaryFolder()
    let dump = try golden.dump(to: folder("dump"))
    let logits: [Float] = try dump.elements("lm_head")
    #expect(try worst(logits, golden.file.elements("logits")) <= 5e-6)
    let (loss, expected): ([Float], [Float]) = (
      try dump.elements("loss"), try golden.file.elements("loss")
    )
    #expect(loss.count == 1 && abs(loss[0] - expected[0]) <= 1e-6 * expected[0])
    for entry in golden.layout.entries {
      let name = "grad.\(entry.name)"
      #expect(try dump.tensor(named: name).shape == entry.shape)
      #expect(
        try worst(dump.elements(name), golden.file.elements(name)) <= 1e-5, "\(entry.name)")
    }
    // The gradients are in the order of the backward pass.
    let last = try #require(golden.layout.entries.first?.name)
    #expect(dump.names.last == "grad.\(last)")
  }

  @Test func everyModuleOfALlamaIsInTheDump() throws {
    let golden = try Golden("llama-gqa")
    let folder = try TemporaryFolder()
    let dump = try golden.dump(hasGradients: false, to: folder("dump"))
    let block = [
      "input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
      "self_attn.o_proj", "self_attn", "post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj",
      "mlp.down_proj", "mlp",
    ]
    let expected =
      ["model.embed_tokens"]
      + (0..<golden.configuration.layers).flatMap { layer in
        block.map { "model.layers.\(layer).\($0)" } + ["model.layers.\(layer)"]
      } + ["model.norm", "lm_head"]
    #expect(dump.names == expected)
    #expect(
      try dump.tensor(named: "model.layers.0").shape
        == [golden.batch.ids.count, golden.configuration.width])
  }

  @Test(arguments: ["llama-gqa", "gpt2-untied", "gemma3"], Precision.allCases)
  func aTraceChangesNoBit(name: String, precision: Precision) throws {
    let golden = try Golden(name)
    func bits(_ trace: Trace?) -> [UInt32] {
      let workspace = Workspace(precision: precision)
      let model = workspace.bind(
        golden.layout, values: golden.parameters, golden.configuration.build)
      let gradients = FlatBuffer(count: golden.layout.count)
      workspace.trace = trace
      workspace.beginGradients(into: gradients)
      var logits: [Float] = []
      let loss = workspace.recording {
        let result = model.logits(golden.batch.ids, golden.batch.pass)
        logits = result.values
        return golden.batch.loss(ofLogits: result)
      }
      workspace.backward(from: loss) { _ in }
      return (logits + golden.layout.entries.flatMap { gradients.elements[$0.range] })
        .map(\.bitPattern)
    }
    let trace = Trace()
    #expect(bits(trace) == bits(nil))
    #expect(trace.entries.count > 20)
  }

  /// The encoder–decoder calls its token embedding twice.
  @Test func aSecondCallHasANumber() throws {
    let folder = "\(Self.goldens)/t5-gated"
    let configuration = try ConfigurationFile.read("\(folder)/config.json")
    let layout = configuration.layout
    let parameters = FlatBuffer(count: layout.count)
    try ModelFiles.read(folder: folder, layout: layout, into: parameters.elements)
    let temporary = try TemporaryFolder()
    try StepDump(
      configuration, layout: layout, parameters: parameters,
      batch: LabelledBatch(labelledByItself: [5, 6, 7], for: configuration), hasGradients: true,
      in: Workspace()
    ).write(to: temporary("dump"))
    let names = try SafeTensorsFile(path: temporary("dump")).names
    #expect(names.contains("shared") && names.contains("shared#2"))
    #expect(names.contains("decoder.block.0.layer.1.EncDecAttention"))
  }

  @Test func aCausalModelPredictsTheNextToken() throws {
    let configuration = try Golden("llama-gqa").configuration
    let batch = LabelledBatch(labelledByItself: [5, 6, 7], for: configuration)
    #expect(batch.ids == [5, 6, 7] && batch.targets == [6, 7, 0] && batch.weights == [1, 1, 0])
    #expect(batch.hasTarget)
    #expect(!LabelledBatch(labelledByItself: [5], for: configuration).hasTarget)
  }

  /// The largest difference, relative to the largest expected entry.
  private func worst(_ values: [Float], _ expected: [Float]) -> Float {
    guard values.count == expected.count else { return .infinity }
    let size = expected.reduce(Float.leastNormalMagnitude) { max($0, abs($1)) }
    // A gradient that is zero in exact arithmetic is compared absolutely.
    return zip(values, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / (size < 1e-9 ? 1 : size)
  }
}

extension SafeTensorsFile {
  /// Returns the elements of a tensor, which are of type `Element`.
  fileprivate func elements<Element: BitwiseCopyable>(_ name: String) throws -> [Element] {
    let tensor = try tensor(named: name)
    return (0..<tensor.bytes.count / 4).map {
      tensor.bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Element.self)
    }
  }
}
