import Layers
import Models
import Testing
import Tokenizers

@testable import Checkpoints
@testable import Tensors

/// Scores of sequences against transformers and PEFT; `Goldens/generate_lora.py` made the values.
@Suite struct SequenceScorerTests {
  let workspace = Workspace()
  static let cases = ["score-gpt2", "score-llama", "score-bert"]

  @Test(arguments: cases) func scores(name: String) throws {
    let golden = try GoldenFile(name)
    let folder = try Folder()
    let loaded = try LoadedScorer(path: try folder.copy(golden: name))
    let (ids, lengths) = (try golden.integers("input_ids"), try golden.integers("lengths"))
    let scorer = workspace.bind(
      loaded.layout, values: loaded.parameters, loaded.configuration.build)
    let pass = ForwardPass(sequences: lengths.count)
    let scores = scorer(ids, lengths: lengths, pass)
    let error = worstError(scores.values, try golden.floats("scores"))
    print("\(name): worst error of the scores \(error)")
    #expect(error <= 5e-6)
    #expect(scores.shape == [lengths.count, loaded.configuration.labels.count])
    // The padding is not what is read.
    #expect(worstError(scorer(ids, lengths: [], pass).values, scores.values) > 0.01)
  }

  @Test func encodersGiveVectors() throws {
    let golden = try GoldenFile("encoder-bert")
    let folder = try Folder()
    let path = try folder.copy(golden: "encoder-bert")
    let network = try #require(
      try ModelFolder(path: path).network as? TextEncoderConfiguration)
    let values = FlatBuffer(count: network.layout.count)
    try ModelFiles.read(folder: path, layout: network.layout, into: values.elements)
    let encoder = workspace.bind(network.layout, values: values, network.build)
    let (ids, lengths) = (try golden.integers("input_ids"), try golden.integers("lengths"))
    let pass = ForwardPass(sequences: lengths.count)
    let mean = encoder.mean(ids, lengths: lengths, pass).flatMap { $0 }
    #expect(worstError(mean, try golden.floats("mean")) <= 5e-6)
    let pooled = try #require(encoder.pooled(ids, lengths: lengths, pass)).flatMap { $0 }
    #expect(worstError(pooled, try golden.floats("pooled")) <= 5e-6)
    #expect(throws: CheckpointError.self) { try LoadedModel(path: path) }
    #expect(throws: CheckpointError.self) { try LoadedScorer(path: path) }
  }

  @Test func tokensHaveClasses() throws {
    let golden = try GoldenFile("tag-bert")
    let folder = try Folder()
    let path = try folder.copy(golden: "tag-bert")
    let network = try #require(
      try ModelFolder(path: path).network as? TokenTaggerConfiguration)
    #expect(network.labels == ["B-X", "I-X", "O"])
    let values = FlatBuffer(count: network.layout.count)
    try ModelFiles.read(folder: path, layout: network.layout, into: values.elements)
    let tagger = workspace.bind(network.layout, values: values, network.build)
    let (ids, lengths) = (try golden.integers("input_ids"), try golden.integers("lengths"))
    let pass = ForwardPass(sequences: 2).keepingPaddingApart(lengths, length: 11)
    let (own, expected) = (tagger.logits(ids, pass).values, try golden.floats("logits"))
    // Of the first text six tokens, of the second all.
    for part in [0..<18, 33..<66] {
      #expect(worstError(Array(own[part]), Array(expected[part])) <= 5e-6)
    }
    try folder.write(
      Array(ConfigurationFile.bytes(network)), to: "\(folder.path)/config.json")
    #expect(
      try ConfigurationFile.readNetwork("\(folder.path)/config.json") as? TokenTaggerConfiguration
        == network)
    #expect(throws: CheckpointError.self) { try LoadedModel(path: path) }
    let decoder = try ConfigurationFile.read(GoldenTests.path("llama-mha/config.json"))
    #expect(throws: ModelError.self) { try TokenTaggerConfiguration(decoder, labels: ["a", "b"]) }
  }

  @Test func configurationsSayWhatIsScored() throws {
    func scorer(_ path: String) throws -> SequenceScorerConfiguration? {
      try ConfigurationFile.readNetwork(path) as? SequenceScorerConfiguration
    }
    let gpt2 = try #require(try scorer(GoldenTests.path("score-gpt2/config.json")))
    #expect(gpt2.labels == ["no", "perhaps", "yes"])
    #expect(gpt2.problem == .classification)
    #expect(gpt2.padding == 2)
    let llama = try #require(try scorer(GoldenTests.path("score-llama/config.json")))
    #expect(llama.labels == ["reward"])
    #expect(llama.problem == .regression)
    #expect(try scorer(GoldenTests.path("llama-mha/config.json")) == nil)
    for network in [gpt2, llama] {
      let folder = try Folder()
      let path = "\(folder.path)/config.json"
      try folder.write(Array(ConfigurationFile.bytes(network)), to: path)
      #expect(try scorer(path) == network)
    }
    #expect(gpt2.json["architectures"] == .list([.text("GPT2ForSequenceClassification")]))
    #expect(llama.json["architectures"] == .list([.text("LlamaForSequenceClassification")]))
    #expect(gpt2.layout.entries.last?.name == "score.weight")
    #expect(!gpt2.layout.entries.contains { $0.name.hasPrefix("lm_head") })
  }

  /// Each of the two kinds of network is told from the other.
  @Test func theOtherKindIsRefused() throws {
    let folder = try Folder()
    let scorer = try folder.copy(golden: "score-llama")
    let model = try folder.copy(golden: "llama-mha")
    #expect(throws: CheckpointError.self) { try LoadedModel(path: scorer) }
    #expect(throws: CheckpointError.self) { try LoadedScorer(path: model) }
  }

  @Test func lowRankMapsAndAScore() throws {
    let golden = try GoldenFile("lora-score")
    let adapter = try AdapterConfiguration(folder: golden.folder)
    let base = GoldenTests.path(adapter.base)
    let scorer = try SequenceScorerConfiguration(
      ConfigurationFile.read("\(base)/config.json"), labels: ["a", "b"], problem: .classification,
      padding: 2)
    var lora = adapter.lora
    lora.modulesToSave = ["score"]
    let model = try AdaptedModel(
      scorer.build, lora: lora, base: base, adapter: golden.folder)
    let (ids, lengths) = (try golden.integers("input_ids"), try golden.integers("lengths"))
    let pass = ForwardPass(sequences: lengths.count)
    let scores = model.network(ids, lengths: lengths, pass)
    #expect(worstError(scores.values, try golden.floats("scores")) <= 5e-6)

    let factors = (0..<scores.count).map { Float($0 + 1) }
    let gradient = model.gradient { network in
      let scores = network(ids, lengths: lengths, pass)
      return (scores * Tensor(factors, shape: scores.shape, in: model.workspace)).sum()
    }
    for entry in model.layouts.trainable.entries {
      let expected = try golden.floats("grad.base_model.model.\(entry.name)")
      #expect(
        worstError(Array(gradient.elements[entry.range]), expected) <= 1e-5, "\(entry.name)")
    }

    // PEFT's own folder, with the file that names the classes.
    let folder = try Folder()
    _ = try folder.copy(golden: adapter.base)
    let path = try folder.copy(golden: "lora-score", hasTokenizer: false)
    try folder.write(Array(ConfigurationFile.bytes(scorer)), to: "\(path)/config.json")
    let loaded = try LoadedScorer(path: path)
    let merged = workspace.bind(
      loaded.layout, values: loaded.parameters, loaded.configuration.build)
    #expect(
      worstError(merged(ids, lengths: lengths, pass).values, try golden.floats("merged")) <= 5e-6)
  }

  /// A language model with a value head is the language model, and reads values from its states.
  @Test func valuesBesideALanguageModel() throws {
    let folder = try Folder()
    let start = try LoadedModel(path: try folder.copy(golden: "llama-mha"))
    let network = ValuedModelConfiguration(start.configuration)
    let values = FlatBuffer(count: network.layout.count)
    network.layout.initialize(values.elements, seed: 1)
    #expect(start.copy(into: values, of: network.layout) == ["v_head.weight", "v_head.bias"])
    let (ids, pass) = ((0..<16).map { Int32($0) }, ForwardPass(sequences: 2))
    let plain = workspace.bind(start.layout, values: start.parameters, start.configuration.build)
    let valued = workspace.bind(network.layout, values: values, network.build)
    let hidden = valued.hidden(ids, pass)
    #expect(valued.logits(ids, pass).values == plain.logits(ids, pass).values)
    #expect(valued.values(hidden).values == [Float](repeating: 0, count: 16))

    // Saved, it is what transformers opens, with a file beside it.
    let path = try folder.save(
      ModelFiles(configuration: network, layout: network.layout, tokenizer: start.tokenizer),
      values)
    #expect(
      try SafeTensorsFile(path: "\(path)/model.safetensors").names
        == start.layout.entries.map(\.name).sorted())
    #expect(try LoadedModel(path: path).configuration.json == start.configuration.json)
    let read = try ModelFiles.read(folder: path, layout: network.layout)
    #expect(Array(read.elements) == Array(values.elements))
  }
}
