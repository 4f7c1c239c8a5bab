import Checkpoints
import Foundation
import Generation
import Layers
import Models
import Tensors
import Testing

/// Targets that an encoder–decoder writes to sources: against passes over everything, against
/// transformers' greedy decoding, and side by side.
@Suite struct TargetTests {
  static let cases = ["t5-relu", "t5-gated", "t5-long", "mt5"]

  /// A golden folder of ModelsTests, bound.
  struct Model {
    let workspace: Workspace
    let configuration: any ModelConfiguration
    let network: any LanguageModel
    let sources: [[Int32]]
    /// What transformers wrote, without what ends it.
    let expected: [[Int32]]

    init(_ name: String, _ precision: Precision = .fp32, isBatchInvariant: Bool = false) throws {
      let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("ModelsTests/Goldens/\(name)").path
      workspace = Workspace(precision: precision, isBatchInvariant: isBatchInvariant)
      configuration = try ConfigurationFile.read("\(folder)/config.json")
      let layout = configuration.layout
      let values = try ModelFiles.read(folder: folder, layout: layout)
      let halves = precision == .bf16 ? HalfBuffer(count: layout.count) : nil
      halves?.round(values, 0..<layout.count)
      network = workspace.bind(layout, values: values, halves: halves, configuration.build)
      let file = try SafeTensorsFile(path: "\(folder)/golden.safetensors")
      let integers = { (name: String) throws -> [Int32] in
        let bytes = try file.tensor(named: name).bytes
        return (0..<bytes.count / 4).map {
          bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)
        }
      }
      let (ids, lengths) = (try integers("sources"), try integers("source_lengths"))
      let pitch = ids.count / lengths.count
      sources = lengths.enumerated().map { Array(ids[$0 * pitch..<$0 * pitch + Int($1)]) }
      let generated = try integers("generated")
      let columns = generated.count / lengths.count
      expected = lengths.indices.map { row in
        Array(generated[row * columns..<(row + 1) * columns].prefix { $0 > 1 })
      }
    }

    var generate: Generator { Generator(network, configuration: configuration, in: workspace) }

    /// Logits after the last of `target`, in one pass without a cache.
    func next(_ target: [Int32], _ source: [Int32]) -> [Float] {
      let pass = ForwardPass(
        sequences: 1, source: Source(ids: source, lengths: [Int32(source.count)]))
      return Array(network.logits(target, pass).values.suffix(configuration.vocabulary))
    }

    func request(_ source: [Int32], _ maximum: Int, sequences: Range<Int> = 0..<1, greedy: Bool)
      -> Generator.Request
    {
      Generator.Request(
        prompt: source, sequences: sequences, maximum: maximum,
        sampling: greedy ? .greedy : Sampling(temperature: 1), end: 1,
        vocabulary: configuration.vocabulary, seed: 3)
    }
  }

  @Test(arguments: cases) func greedyTargetsAreThoseOfTransformers(name: String) throws {
    let model = try Model(name)
    for (source, expected) in zip(model.sources, model.expected) {
      let new = model.generate(model.request(source, 12, greedy: true))[0]
      // Where id 0 was written, what follows it is not compared.
      #expect(Array(new.prefix(expected.count)) == expected)
    }
  }

  @Test(arguments: cases) func everyTokenIsTheBestOfAWholePass(name: String) throws {
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

  /// Step by step over a cache, against one pass.
  @Test(arguments: cases, Precision.allCases)
  func cachedLogitsAreThoseOfAWholePass(name: String, precision: Precision) throws {
    let model = try Model(name, precision)
    let target = (0..<9).map { Int32($0 * 7 % model.configuration.vocabulary) }
    let source = model.sources[0]
    let read = Source(ids: source, lengths: [Int32(source.count)])
    let whole = model.network.logits(target, ForwardPass(sequences: 1, source: read)).values
    let size = whole.reduce(0) { max($0, abs($1)) }
    let caches = model.configuration.caches(
      sequences: 1, capacity: 9, source: source.count, in: model.workspace)
    var logits: [Float] = []
    for (place, piece) in [0..<1, 1..<5, 5..<6, 6..<9].enumerated() {
      let pass = ForwardPass(sequences: 1, caches: caches, source: place == 0 ? read : nil)
      logits += model.network.logits(Array(target[piece]), pass).values
    }
    let worst = zip(logits, whole).reduce(0) { max($0, abs($1.0 - $1.1)) } / size
    #expect(logits.count == whole.count && worst <= (precision == .fp32 ? 1e-5 : 0.05))
  }

  /// Sources of several lengths side by side, two samples of each, are what each is alone.
  @Test(arguments: cases, Precision.allCases)
  func sourcesSideBySideAreAsAlone(name: String, precision: Precision) throws {
    let model = try Model(name, precision, isBatchInvariant: true)
    let request = { (prompts: [[Int32]], samples: Int, first: Int) in
      AnswerRequest(
        prompts: prompts, samples: samples, maximum: 15, sampling: Sampling(temperature: 2),
        end: 1, vocabulary: model.configuration.vocabulary, seed: 5, first: first)
    }
    let together = model.generate.answers(request(model.sources, 2, 0))
    #expect(Set(together.map(\.tokens)).count > model.sources.count)
    for (index, source) in model.sources.enumerated() {
      #expect(
        model.generate.answers(request([source], 2, 2 * index))
          == Array(together[2 * index..<2 * index + 2]))
    }
    // What was chosen has the log-probability that one pass over the target gives it.
    let (answer, source) = (together[0], model.sources[0])
    let pass = ForwardPass(
      sequences: 1, source: Source(ids: source, lengths: [Int32(source.count)]))
    let hidden = model.network.hidden([0] + answer.tokens.dropLast(), pass)
    let logs = (model.network.head(hidden, precise: true) * 0.5).softmax().values
    for (place, token) in answer.tokens.enumerated() {
      let log = log(logs[place * model.configuration.vocabulary + Int(token)])
      #expect(abs(log - answer.logProbabilities[place]) < 1e-4)
    }
  }

  /// Several sequences of one request, some of which end before others.
  @Test func sequencesThatEndLeave() throws {
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
