import Layers
import Models
import Testing
import Tokenizers

@testable import Checkpoints
@testable import Tensors

/// LoRA adapters compared with PEFT's; the values were written by `Goldens/generate_lora.py`.
@Suite struct LoRAGoldenTests {
  static let cases = ["lora-gpt2", "lora-llama", "lora-linear"]

  private typealias Model = AdaptedModel<any LanguageModel>

  private struct Case {
    let golden: GoldenFile
    let base: String
    let configuration: any ModelConfiguration
    let adapter: AdapterConfiguration
    let ids: [Int32]
    let sequences: Int

    init(_ name: String) throws {
      golden = try GoldenFile(name)
      adapter = try AdapterConfiguration(folder: golden.folder)
      base = GoldenTests.path(adapter.base)
      configuration = try ConfigurationFile.read("\(base)/config.json")
      ids = try golden.integers("input_ids")
      sequences = try golden.sequences()
    }

    func model(_ precision: Precision = .fp32) throws -> Model {
      try Model(
        configuration.build, lora: adapter.lora, base: base, adapter: golden.folder,
        precision: precision)
    }

    func pass(_ recomputation: Recomputation = .none, adapts: Bool = true) -> ForwardPass {
      ForwardPass(sequences: sequences, recomputation: recomputation, usesAdapters: adapts)
    }

    func loss(_ model: any LanguageModel, _ recomputation: Recomputation = .none) throws -> Tensor {
      let weights = try golden.floats("weights")
      return model.hidden(ids, pass(recomputation))
        .crossEntropy(
          head: model.head.weight, targets: try golden.integers("targets"), weights: weights
        ).sum() * (1 / weights.reduce(0, +))
    }
  }

  @Test(arguments: cases) func logitsLossAndGradientsEqualPEFTs(name: String) throws {
    let test = try Case(name)
    let model = try test.model()
    let logits = model.network.logits(test.ids, test.pass()).values
    let logitsError = worstError(logits, try test.golden.floats("logits"))
    #expect(logitsError <= 5e-6)
    let loss = try test.loss(model.network)
    #expect(worstError(loss.values, try test.golden.floats("loss")) <= 1e-6)

    let gradient = try model.gradient { try test.loss($0) }
    var gradientError: Float = 0
    for entry in model.layouts.trainable.entries {
      let expected = try test.golden.floats("grad.base_model.model.\(entry.name)")
      let error = worstError(Array(gradient.elements[entry.range]), expected)
      gradientError = max(gradientError, error)
      #expect(error <= 1e-5, "\(entry.name)")
    }
    #expect(
      test.golden.names.filter { $0.hasPrefix("grad.") }.count
        == model.layouts.trainable.entries.count)
    print("\(name): worst error of the logits \(logitsError), of the gradients \(gradientError)")
  }

  @Test(arguments: cases) func mergedLogitsEqualPEFTs(name: String) throws {
    let test = try Case(name)
    let model = try test.model()
    let layout = test.configuration.layout
    let values = try ModelFiles.read(folder: test.base, layout: layout)
    let plain = Workspace()
    let before = plain.bind(layout, values: values, test.configuration.build)
      .logits(test.ids, test.pass()).values
    // With its adapters switched off, the network equals its base model bit for bit.
    #expect(model.network.logits(test.ids, test.pass(adapts: false)).values == before)
    model.layouts.trainable.merge(model.trainable, into: values, of: layout)
    let logits = plain.bind(layout, values: values, test.configuration.build)
      .logits(test.ids, test.pass()).values
    let error = worstError(logits, try test.golden.floats("merged"))
    print("\(name): worst error of the merged logits \(error)")
    #expect(error <= 5e-6)
    #expect(worstError(before, logits) > 0.01)
  }

  @Test(arguments: cases) func recomputationKeepsTheBits(name: String) throws {
    let test = try Case(name)
    let model = try test.model()
    let kept = try model.gradient { try test.loss($0) }
    let again = try model.gradient { try test.loss($0, .layer) }
    #expect(kept.elements.map(\.bitPattern) == again.elements.map(\.bitPattern))
  }

  @Test(arguments: cases) func bf16IsCloseToFp32(name: String) throws {
    let test = try Case(name)
    let model = try test.model(.bf16)
    let logits = model.network.logits(test.ids, test.pass()).values
    let logitsError = worstError(logits, try test.golden.floats("logits"))
    #expect(logitsError > 0 && logitsError < 0.06)
    let gradient = try model.gradient { try test.loss($0) }
    var (distance, length) = (0.0, 0.0)
    for entry in model.layouts.trainable.entries {
      let expected = try test.golden.floats("grad.base_model.model.\(entry.name)")
      for (value, expected) in zip(gradient.elements[entry.range], expected) {
        distance += Double(value - expected) * Double(value - expected)
        length += Double(expected) * Double(expected)
      }
    }
    let gradientError = (distance / length).squareRoot()
    print("\(name) in bf16: error of the logits \(logitsError), of the gradient \(gradientError)")
    // Scores of order one make the softmax of these small networks sensitive to rounding.
    #expect(gradientError < 0.12)
  }

  /// The written tensors equal those of PEFT's own file byte for byte.
  @Test(arguments: cases) func writtenFilesEqualPEFTs(name: String) throws {
    let test = try Case(name)
    let model = try test.model()
    let folder = try Folder()
    let path = try folder.save(
      ModelFiles(
        configuration: test.configuration, layout: model.layouts.trainable,
        tokenizer: ByteTokenizer(), base: AdapterBase(path: test.base, digest: "0")),
      model.trainable)
    let own = try SafeTensorsFile(path: "\(path)/adapter_model.safetensors")
    let theirs = try SafeTensorsFile(path: "\(test.golden.folder)/adapter_model.safetensors")
    #expect(own.names == theirs.names)
    #expect(own.metadata["format"] == "pt")
    for name in own.names {
      let (tensor, expected) = (try own.tensor(named: name), try theirs.tensor(named: name))
      #expect(tensor.shape == expected.shape && tensor.dtype == expected.dtype)
      #expect(Array(tensor.bytes) == Array(expected.bytes))
    }
    // The file read back adapts the same layers.
    let read = try AdapterConfiguration(folder: path)
    #expect(read.base == test.base)
    #expect(read.lora.scale == test.adapter.lora.scale)
    #expect(
      try test.configuration.layout(read.lora).trainable.entries
        == model.layouts.trainable.entries)
  }
}
