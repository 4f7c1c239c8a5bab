import Checkpoints
import Foundation
import Generation
import Layers
import Models
import Tensors
import Testing

/// Targets that an encoder–decoder generates: compared with uncached passes, with transformers'
/// greedy decoding, and between batched and single generation.
@Suite struct TargetTests {
  static let cases = ["t5-relu", "t5-gated", "t5-long", "mt5"]

  /// The model of a golden folder of ModelsTests, bound to a workspace.
  struct Model {
    let workspace: Workspace
    let configuration: any ModelConfiguration
    let network: any LanguageModel
    let sources: [[Int32]]
    /// The targets that transformers generated, without the end token.
    let expected: [[Int32]]

    init(_ name: String, _ precision: Precision = .fp32, isBatchInvariant: Bool = false) throws {
      let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("ModelsTests/Goldens/\(name)").path
      workspace = Workspace(precision: precision, isBatchInvariant: isBatchInvariant)
      configuration = try ConfigurationFile.read("\(folder)/config.json")
      let layout = configuration.layout
      let values = try ModelFiles.read(folder: folder, layout: layout)
      let bf16Copy = precision == .bf16 ? BF16Buffer(count: layout.count) : nil
      bf16Copy?.round(values, 0..<layout.count)
      network = workspace.bind(layout, values: values, bf16Copy: bf16Copy, configuration.build)
      let file = try SafeTensorsFile(path: "\(folder)/golden.safetensors")
      let integers = { (name: String) throws -> [Int32] in
        let bytes = try file.tensor(named: name).bytes
        return (0..<bytes.count / 4).map {
          bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)
        }
      }
      let (ids, lengths) = (try integers("sources"), try integers("source_lengths"))
      let rowStride = ids.count / lengths.count
      sources = lengths.enumerated().map { Array(ids[$0 * rowStride..<$0 * rowStride + Int($1)]) }
      let generated = try integers("generated")
      let columns = generated.count / lengths.count
      expected = lengths.indices.map { row in
        Array(generated[row * columns..<(row + 1) * columns].prefix { $0 > 1 })
      }
    }

    var generate: Generator { Generator(network, configuration: configuration, in: workspace) }

    /// Returns the logits after the last of `target`, in one pass without a cache.
    func next(_ target: [Int32], _ source: [Int32]) -> [Float] {
      let pass = ForwardPass(
        sequences: 1, encoderInput: EncoderInput(ids: source, lengths: [Int32(source.count)]))
      return Array(network.logits(target, pass).values.suffix(configuration.vocabulary))
    }

    func request(_ source: [Int32], _ maximum: Int, sequences: Range<Int> = 0..<1, greedy: Bool)
      -> CompletionRequest
    {
      CompletionRequest(
        prompt: source, sequences: sequences, maximum: maximum,
        sampling: greedy ? .greedy : Sampling(temperature: 1), ends: [1],
        vocabulary: configuration.vocabulary, seed: 3)
    }
  }

  @Test(arguments: cases) func greedyTargetsEqualThoseOfTransformers(name: String) throws {
    let model = try Model(name)
    for (source, expected) in zip(model.sources, model.expected) {
      let new = model.generate(model.request(source, 12, greedy: true))[0]
      // Tokens after a generated id 0 are not compared.
      #expect(Array(new.prefix(expected.count)) == expected)
    }
  }

  @Test(arguments: cases) func everyTokenIsTheArgmaxOfAnUncachedPass(name: String) throws {
    let model = try Model(name)
    for source in model.sources {
      let new = model.generate(model.request(source, 30, greedy: true))[0]
      var target: [Int32] = [0]
      for id in new {
        let logits = model.next(target, source)
        let best = try #require(logits.max())
        #expect(best - logits[Int(id)] <= 1e-5 * abs(best))
        target.append(id)
      }
    }
  }

  /// Compares decoding step by step over a cache with one uncached pass.
  @Test(arguments: cases, Precision.allCases)
  func cachedLogitsEqualThoseOfAnUncachedPass(name: String, precision: Precision) throws {
    let model = try Model(name, precision)
    let target = (0..<9).map { Int32($0 * 7 % model.configuration.vocabulary) }
    let source = model.sources[0]
    let read = EncoderInput(ids: source, lengths: [Int32(source.count)])
    let whole = model.network.logits(target, ForwardPass(sequences: 1, encoderInput: read)).values
    let size = whole.reduce(0) { max($0, abs($1)) }
    let caches = model.configuration.caches(
      sequences: 1, capacity: 9, source: source.count, in: model.workspace)
    var logits: [Float] = []
    for (place, piece) in [0..<1, 1..<5, 5..<6, 6..<9].enumerated() {
      let pass = ForwardPass(sequences: 1, caches: caches, encoderInput: place == 0 ? read : nil)
      logits += model.network.logits(Array(target[piece]), pass).values
    }
    let worst = zip(logits, whole).reduce(0) { max($0, abs($1.0 - $1.1)) } / size
    #expect(logits.count == whole.count && worst <= (precision == .fp32 ? 1e-5 : 0.05))
  }

  /// Two samples for each of several sources equal those of each source alone.
  @Test(arguments: cases, Precision.allCases)
  func batchedTargetsEqualSingleOnes(name: String, precision: Precision) throws {
    let model = try Model(name, precision, isBatchInvariant: true)
    let request = { (prompts: [[Int32]], samples: Int, first: Int) in
      CompletionRequest(
        prompts: prompts, samples: samples, maximum: 15, sampling: Sampling(temperature: 2),
        ends: [1], vocabulary: model.configuration.vocabulary, seed: 5, first: first)
    }
    let together = model.generate.completions(request(model.sources, 2, 0))
    #expect(Set(together.map(\.tokens)).count > model.sources.count)
    for (index, source) in model.sources.enumerated() {
      #expect(
        model.generate.completions(request([source], 2, 2 * index))
          == Array(together[2 * index..<2 * index + 2]))
    }
    // A sampled token has the log-probability that one pass over the target gives it.
    let (completion, source) = (together[0], model.sources[0])
    let pass = ForwardPass(
      sequences: 1, encoderInput: EncoderInput(ids: source, lengths: [Int32(source.count)]))
    let hidden = model.network.hidden([0] + completion.tokens.dropLast(), pass)
    let losses = (model.network.head(hidden, fp32Output: true) * 0.5)
      .crossEntropyConsumingLogits(targets: completion.tokens).values
    for (loss, logProbability) in zip(losses, completion.logProbabilities) {
      #expect(abs(-loss - logProbability) < 1e-4)
    }
  }

  /// Several sequences of one request, some of which end earlier than others.
  @Test func finishedSequencesDoNotChangeTheOthers() throws {
    let model = try Model("mt5")
    let source = model.sources[1]
    let several = model.generate(
      model.request(source, 40, sequences: 0..<8, greedy: false))
    #expect(Set(several.map(\.count)).count > 1)
    for sequence in 0..<8 {
      let one = model.generate(
        model.request(source, 40, sequences: sequence..<sequence + 1, greedy: false))
      #expect(one[0] == several[sequence])
    }
  }
}
