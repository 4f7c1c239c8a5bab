import Layers
import Models
import Testing
import Tokenizers

@testable import Checkpoints
@testable import Tensors

/// Scores of sequences compared with those of transformers and PEFT; the values were written by
/// `Goldens/generate_lora.py`.
@Suite struct SequenceScorerTests {
  let workspace = Workspace()
  static let cases = ["score-gpt2", "score-llama", "score-bert"]

  @Test(arguments: cases) func scoresEqualThoseOfTransformers(name: String) throws {
    let golden = try GoldenFile(name)
    let folder = try Folder()
    let loaded = try LoadedClassifier(path: try folder.copy(golden: name))
    let (ids, lengths) = (try golden.integers("input_ids"), try golden.integers("lengths"))
    let classifier = workspace.bind(
      loaded.layout, values: loaded.parameters, loaded.configuration.build)
    let texts = LaidOutTexts(ids, lengths)
    let scores = classifier(texts.ids, examples: texts.examples, texts.pass)
    let error = worstError(scores.values, try golden.floats("scores"))
    print("\(name): worst error of the scores \(error)")
    #expect(error <= 5e-6)
    #expect(scores.shape == [lengths.count, loaded.configuration.labels.count])
    // A decoder's head reads the last token that is not padding, as transformers' does.
    if let padding = loaded.configuration.padding, name != "score-bert" {
      let text = Array(texts.ids[texts.examples[0]])
      let longer = text + [Int32(padding), Int32(padding)]
      let padded = classifier(longer, examples: [longer.indices], ForwardPass(sequences: 1))
      #expect(worstError(padded.values, scores.values.prefix(padded.count)) <= 2e-5)
    }
    // A text alone has the same scores: it does not see the others.
    let last = try #require(texts.examples.last)
    let alone = classifier(
      Array(texts.ids[last]), examples: [0..<last.count], ForwardPass(sequences: 1))
    #expect(worstError(alone.values, scores.values.suffix(alone.count)) <= 2e-5)
  }

  @Test func textEmbeddingsEqualThoseOfTransformers() throws {
    let golden = try GoldenFile("encoder-bert")
    let folder = try Folder()
    let path = try folder.copy(golden: "encoder-bert")
    let network = try #require(
      try ModelFolder(path: path).network as? TextEncoderConfiguration)
    let values = FlatBuffer(count: network.layout.count)
    try ModelFiles.read(folder: path, layout: network.layout, into: values.elements)
    let encoder = workspace.bind(network.layout, values: values, network.build)
    let (ids, lengths) = (try golden.integers("input_ids"), try golden.integers("lengths"))
    let texts = LaidOutTexts(ids, lengths)
    let mean = encoder.mean(texts.ids, texts: texts.examples, texts.pass).flatMap { $0 }
    #expect(worstError(mean, try golden.floats("mean")) <= 5e-6)
    let pooled = try #require(encoder.pooled(texts.ids, texts: texts.examples, texts.pass))
      .flatMap { $0 }
    #expect(worstError(pooled, try golden.floats("pooled")) <= 5e-6)
    #expect(throws: CheckpointError.self) { try LoadedModel(path: path) }
    #expect(throws: CheckpointError.self) { try LoadedClassifier(path: path) }
  }

  @Test func tokenClassesEqualThoseOfTransformers() throws {
    let golden = try GoldenFile("tag-bert")
    let folder = try Folder()
    let path = try folder.copy(golden: "tag-bert")
    let network = try #require(
      try ModelFolder(path: path).network as? TokenClassifierConfiguration)
    #expect(network.labels == ["B-X", "I-X", "O"])
    let values = FlatBuffer(count: network.layout.count)
    try ModelFiles.read(folder: path, layout: network.layout, into: values.elements)
    let tokenClassifier = workspace.bind(network.layout, values: values, network.build)
    let (ids, lengths) = (try golden.integers("input_ids"), try golden.integers("lengths"))
    let texts = LaidOutTexts(ids, lengths)
    let own = tokenClassifier.logits(texts.ids, texts.pass).values
    let expected = try golden.floats("logits")
    // The first text has six tokens and is padded to the second's length.
    #expect(lengths == [6, 11])
    #expect(worstError(own, Array(expected[0..<18] + expected[33..<66])) <= 5e-6)
    try folder.write(
      Array(ConfigurationFile.bytes(network)), to: "\(folder.path)/config.json")
    #expect(
      try ConfigurationFile.readNetwork("\(folder.path)/config.json")
        as? TokenClassifierConfiguration
        == network)
    #expect(throws: CheckpointError.self) { try LoadedModel(path: path) }
    let decoder = try ConfigurationFile.read(GoldenTests.path("llama-mha/config.json"))
    #expect(throws: ModelError.self) {
      try TokenClassifierConfiguration(decoder, labels: ["a", "b"])
    }
  }

  @Test func configurationsGiveLabelsAndProblem() throws {
    func classifier(_ path: String) throws -> SequenceClassifierConfiguration? {
      try ConfigurationFile.readNetwork(path) as? SequenceClassifierConfiguration
    }
    let gpt2 = try #require(try classifier(GoldenTests.path("score-gpt2/config.json")))
    #expect(gpt2.labels == ["no", "perhaps", "yes"])
    #expect(gpt2.problem == .classification)
    #expect(gpt2.padding == 2)
    let llama = try #require(try classifier(GoldenTests.path("score-llama/config.json")))
    #expect(llama.labels == ["reward"])
    #expect(llama.problem == .regression)
    #expect(try classifier(GoldenTests.path("llama-mha/config.json")) == nil)
    for network in [gpt2, llama] {
      let folder = try Folder()
      let path = "\(folder.path)/config.json"
      try folder.write(Array(ConfigurationFile.bytes(network)), to: path)
      #expect(try classifier(path) == network)
    }
    #expect(gpt2.json["architectures"] == .list([.text("GPT2ForSequenceClassification")]))
    #expect(llama.json["architectures"] == .list([.text("LlamaForSequenceClassification")]))
    #expect(gpt2.layout.entries.last?.name == "score.weight")
    #expect(!gpt2.layout.entries.contains { $0.name.hasPrefix("lm_head") })
  }

  /// Language models and sequence classifiers are distinguished from each other.
  @Test func networksOfAnotherKindAreRefused() throws {
    let folder = try Folder()
    let classifier = try folder.copy(golden: "score-llama")
    let model = try folder.copy(golden: "llama-mha")
    #expect(throws: CheckpointError.self) { try LoadedModel(path: classifier) }
    #expect(throws: CheckpointError.self) { try LoadedClassifier(path: model) }
  }

  @Test func aClassifierWithLoRAEqualsPEFTs() throws {
    let golden = try GoldenFile("lora-score")
    let adapter = try AdapterConfiguration(folder: golden.folder)
    let base = GoldenTests.path(adapter.base)
    let classifier = try SequenceClassifierConfiguration(
      ConfigurationFile.read("\(base)/config.json"), labels: ["a", "b"], problem: .classification,
      padding: 2)
    var lora = adapter.lora
    lora.modulesToSave = ["score"]
    let model = try AdaptedModel(
      classifier.build, lora: lora, base: base, adapter: golden.folder)
    let (ids, lengths) = (try golden.integers("input_ids"), try golden.integers("lengths"))
    let texts = LaidOutTexts(ids, lengths)
    let scores = model.network(texts.ids, examples: texts.examples, texts.pass)
    #expect(worstError(scores.values, try golden.floats("scores")) <= 5e-6)

    let factors = (0..<scores.count).map { Float($0 + 1) }
    let gradient = model.gradient { network in
      let scores = network(texts.ids, examples: texts.examples, texts.pass)
      return (scores * Tensor(factors, shape: scores.shape, in: model.workspace)).sum()
    }
    for entry in model.layouts.trainable.entries {
      let expected = try golden.floats("grad.base_model.model.\(entry.name)")
      #expect(
        worstError(Array(gradient.elements[entry.range]), expected) <= 1e-5, "\(entry.name)")
    }

    // PEFT's own folder, without and with the file that lists the labels.
    let folder = try Folder()
    _ = try folder.copy(golden: adapter.base)
    let path = try folder.copy(golden: "lora-score", hasTokenizer: false)
    for labels in [["LABEL_0", "LABEL_1"], ["a", "b"]] {
      let loaded = try LoadedClassifier(path: path)
      #expect(loaded.configuration.labels == labels)
      let merged = workspace.bind(
        loaded.layout, values: loaded.parameters, loaded.configuration.build)
      let scores = merged(texts.ids, examples: texts.examples, texts.pass).values
      #expect(worstError(scores, try golden.floats("merged")) <= 5e-6)
      try folder.write(Array(ConfigurationFile.bytes(classifier)), to: "\(path)/config.json")
    }
  }

  /// A value head leaves the language model unchanged and computes values from its hidden states.
  @Test func aValueHeadKeepsTheLanguageModel() throws {
    let folder = try Folder()
    let start = try LoadedModel(path: try folder.copy(golden: "llama-mha"))
    let network = ValueHeadModelConfiguration(start.configuration)
    let values = FlatBuffer(count: network.layout.count)
    network.layout.initialize(values.elements, seed: 1)
    #expect(start.copy(into: values, of: network.layout) == ["v_head.weight", "v_head.bias"])
    let (ids, pass) = ((0..<16).map { Int32($0) }, ForwardPass(sequences: 2))
    let plain = workspace.bind(start.layout, values: start.parameters, start.configuration.build)
    let withValueHead = workspace.bind(network.layout, values: values, network.build)
    let hidden = withValueHead.hidden(ids, pass)
    #expect(withValueHead.logits(ids, pass).values == plain.logits(ids, pass).values)
    #expect(withValueHead.values(hidden).values == [Float](repeating: 0, count: 16))

    // The saved folder opens in transformers; the value head has a file of its own.
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

/// Texts of a padded batch, laid one after another without the padding.
private struct LaidOutTexts {
  var ids: [Int32] = []
  var examples: [Range<Int>] = []
  let pass: ForwardPass

  init(_ padded: [Int32], _ lengths: [Int32]) {
    let length = padded.count / lengths.count
    var starts: [Int32] = []
    for (row, count) in lengths.enumerated() {
      let start = ids.count
      ids += padded[row * length..<row * length + Int(count)]
      examples.append(start..<ids.count)
      starts += repeatElement(Int32(start), count: Int(count))
    }
    pass = ForwardPass(sequences: 1, starts: starts)
  }
}
