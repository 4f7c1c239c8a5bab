import Aviary
import Configuration
import Datasets
import Foundation
import Models
import RandomNumbers
import Tensors
import Phases

/// A model whose training step is measured, in Apus and in PyTorch.
struct TrainedModel: Sendable {
  let name: String
  let title: String
  let layers: Int
  let heads: Int
  let width: Int
  let vocabulary: Int
  /// Tokens per sequence.
  let context: Int
  /// Sequences per step.
  let batch: Int
  /// Steps per process; the first two are not counted.
  let steps: Int
  /// True when a step is one micro-batch for a team of all threads, as in PyTorch: large products
  /// lose no speed by it, and one gradient buffer is enough.
  var isForTeam = false
  /// The model family.
  var family = ModelFamily.gpt2

  /// The model of cluster/shakespeare.yaml, nanoGPT's settings for a CPU, on bytes.
  static let shakespeare = TrainedModel(
    name: "shakespeare", title: "0.8M, 12×64 tokens", layers: 4, heads: 4, width: 128,
    vocabulary: 257, context: 64, batch: 12, steps: 102)
  static let nano = TrainedModel(
    name: "nano", title: "10.8M, 8×256 tokens", layers: 6, heads: 6, width: 384, vocabulary: 257,
    context: 256, batch: 8, steps: 12)
  static let gpt2 = TrainedModel(
    name: "gpt2", title: "GPT-2 124M, 4×256 tokens", layers: 12, heads: 12, width: 768,
    vocabulary: 50257, context: 256, batch: 4, steps: 6, isForTeam: true)

  static let bert = TrainedModel(
    name: "bert", title: "BERT-base 110M, 8×128 tokens", layers: 12, heads: 12, width: 768,
    vocabulary: 30522, context: 128, batch: 8, steps: 6, isForTeam: true, family: .bert)

  /// `nano` with a context of 4,096, and with as many tokens in contexts of 1,024.
  static let longContext = TrainedModel(
    name: "long", title: "10.8M, 1×4096 tokens", layers: nano.layers, heads: nano.heads,
    width: nano.width, vocabulary: nano.vocabulary, context: 4096, batch: 1, steps: 5)
  static let shortContext = TrainedModel(
    name: "short", title: "10.8M, 4×1024 tokens", layers: nano.layers, heads: nano.heads,
    width: nano.width, vocabulary: nano.vocabulary, context: 1024, batch: 4, steps: 5)

  /// The models whose step is also measured in PyTorch.
  static let all = [shakespeare, nano, gpt2, bert]

  /// Micro-batches per step: a power of two, one per worker as far as the batch is divisible.
  func microBatches(workers: Int) -> Int {
    var count = 1
    while count < workers && batch % (2 * count) == 0 { count *= 2 }
    return count
  }

  /// The configuration for `apus pretrain`.
  func configuration(workers: Int, overrides: [String]) throws -> ConfigurationReader {
    if name == TrainedModel.shakespeare.name {
      return try ConfigurationReader(
        path: Settings.packageFile("cluster/shakespeare.yaml"), overrides: overrides)
    }
    let microBatches = microBatches(workers: workers)
    return try ConfigurationReader(
      yaml: """
        model: { family: \(family.name), layers: \(layers), heads: \(heads), width: \(width), context: \(context), \
        vocabulary: \(vocabulary) }
        batch: { microBatches: \(microBatches), sequences: \(batch / microBatches) }
        tokenizer: "\(try tokenizer())"
        """, file: "the benchmark", overrides: overrides)
  }

  /// `bytes`, or for BERT the path of a vocabulary file with as many entries as the model.
  private func tokenizer() throws -> String {
    guard family == .bert else { return "bytes" }
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    let entries = special + (special.count..<vocabulary).map { "token\($0)" }
    try Data((entries.joined(separator: "\n") + "\n").utf8).write(to: tokenizerFile)
    return tokenizerFile.path
  }

  private var tokenizerFile: URL {
    FileManager.default.temporaryDirectory.appendingPathComponent(
      "apus-bench-\(ProcessInfo.processInfo.processIdentifier)-vocab.txt")
  }

  /// Removes the vocabulary file, once the tokenizer is in memory.
  func removeTokenizerFile() { try? FileManager.default.removeItem(at: tokenizerFile) }

  /// The training tokens: for `shakespeare`, the plays of its configuration, or stories if they are
  /// absent; for other models random ids, which cost the same as text.
  func tokens(_ phase: Pretraining) throws -> TokenStream {
    let count = 1 << 17
    var ids: [Int32]
    if name == TrainedModel.shakespeare.name {
      let plays = phase.options.data.corpus.train.first.map(Settings.packageFile)
      let text =
        plays.flatMap { FileManager.default.contents(atPath: $0) }
        ?? Data(Aviary(seed: 1).documents(count: 500).joined(separator: "\n").utf8)
      ids = text.prefix(count).map { Int32($0) }
    } else {
      let words = RandomStream(seed: 1, purpose: .probe)
      // BERT's first ids are special tokens.
      let first = UInt32(family == .bert ? 5 : 0)
      ids = (0..<UInt64(count)).map {
        Int32(first + words.word($0) % (UInt32(vocabulary) - first))
      }
    }
    return TokenStream(
      ids, vocabularySize: phase.plan.model.vocabulary, endOfText: phase.plan.tokenizer.endOfText)
  }

  /// The same steps in PyTorch.
  func torch(_ precision: Precision, ranks: Int = 1, threads: Int) -> Peer {
    if family == .bert {
      return Peer(
        script: "train_bert", package: "transformers", ranks: ranks,
        arguments: [
          "--batch", "\(batch / ranks)", "--dtype", "\(precision)", "--threads", "\(threads)",
          "--steps", "\(steps)",
        ])
    }
    return Peer(
      script: "train_gpt2", package: "torch", ranks: ranks,
      arguments: [
        "--size", name, "--batch", "\(batch / ranks)", "--dtype", "\(precision)", "--threads",
        "\(threads)", "--steps", "\(steps)",
      ])
  }
}
