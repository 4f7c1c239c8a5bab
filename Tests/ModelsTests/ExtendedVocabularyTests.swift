import Foundation
import Layers
import Models
import Testing
import Tokenizers

@testable import Checkpoints
@testable import Tensors

/// A model whose vocabulary is extended by new tokens.
@Suite struct ExtendedVocabularyTests {
  static let cases = ["gpt2-tied", "gpt2-untied", "llama-gqa", "llama-mha", "qwen3", "bert"]

  /// Returns the tokenizer of `folder` with three more words.
  private func extended(_ folder: ModelFolder) throws -> any Tokenizer {
    let trainer = try VocabularyExtension(of: folder.tokenizer, tokens: 3, minimumFrequency: 1)
    var counts = WordCounts()
    trainer.count("swift swallow swan swift", into: &counts)
    return try trainer.train(on: counts, threads: 1)
  }

  @Test(arguments: cases) func oldTokensKeepTheirLogits(name: String) throws {
    let files = try Folder()
    let folder = try ModelFolder(path: try files.copy(golden: name))
    let tokenizer = try extended(folder)
    let (old, new) = (folder.tokenizer.vocabularySize, tokenizer.vocabularySize)
    #expect(new == old + 3 && folder.configuration.vocabulary == old)
    #expect(try folder.isExtended(by: tokenizer))
    #expect(try folder.isExtended(by: folder.tokenizer))
    #expect(try !folder.isExtended(by: ByteTokenizer()))

    let configuration = folder.configuration(for: tokenizer)
    #expect(configuration.vocabulary == new)
    let layout = configuration.layout
    let values = FlatBuffer(count: layout.count)
    let missing = try folder.copyWeights(
      into: values, of: layout, extendedBy: tokenizer, seed: 1)
    #expect(missing == [])
    #expect(values.elements.allSatisfy { $0.isFinite })

    let before = try LoadedModel(folder)
    let (ids, pass) = ((0..<10).map { Int32($0 * 3 % old) }, ForwardPass(sequences: 1))
    let workspace = Workspace()
    let expected = workspace.bind(
      before.layout, values: before.parameters, before.configuration.build
    ).logits(ids, pass).values
    let network = workspace.bind(layout, values: values, configuration.build)
    let logits = network.logits(ids, pass).values
    for row in ids.indices {
      let (a, b) = (expected[row * old..<(row + 1) * old], logits[row * new..<row * new + old])
      #expect(worstError(b, a) <= 1e-6)
      // New tokens are about as likely as the others.
      let others = a.max() ?? 0
      #expect(logits[row * new + old..<(row + 1) * new].allSatisfy { $0 < 3 * abs(others) + 1 })
    }

    // Every new token has a row of its own in every parameter with a row per token.
    for entry in layout.entries where entry.shape[0] == new {
      let (all, columns) = (Array(values.elements[entry.range]), entry.range.count / new)
      let rows = (old..<new).map { Array(all[($0 * columns)..<($0 + 1) * columns]) }
      #expect(Set(rows).count == 3 && rows.allSatisfy { $0.contains { $0 != 0 } }, "\(entry.name)")
    }

    // Saved and opened, tokenizer, embeddings, head and configuration agree.
    let path = try files.save(
      ModelFiles(configuration: configuration, layout: layout, tokenizer: tokenizer), values)
    let loaded = try LoadedModel(path: path)
    #expect(loaded.configuration.vocabulary == new && loaded.tokenizer.vocabularySize == new)
    #expect(Array(loaded.parameters.elements) == Array(values.elements))
  }

  /// Unused rows of the model's vocabulary are used first.
  @Test func unusedRowsOfTheVocabularyAreUsedFirst() throws {
    let files = try Folder()
    let path = try files.copy(golden: "llama-mha")
    let text = try String(contentsOfFile: "\(path)/vocab.txt", encoding: .utf8)
    let words = text.split(separator: "\n").dropLast(2)
    try files.write(Array(words.joined(separator: "\n").utf8), to: "\(path)/vocab.txt")
    let folder = try ModelFolder(path: path)
    let tokenizer = try extended(folder)
    let vocabulary = folder.configuration.vocabulary
    #expect(folder.tokenizer.vocabularySize == vocabulary - 2)
    let configuration = folder.configuration(for: tokenizer)
    #expect(configuration.vocabulary == vocabulary + 1)
    let values = FlatBuffer(count: configuration.layout.count)
    _ = try folder.copyWeights(
      into: values, of: configuration.layout, extendedBy: tokenizer, seed: 1)
    let before = try LoadedModel(folder)
    for name in ["model.embed_tokens.weight", "lm_head.weight"] {
      let place = try #require(configuration.layout.entries.first { $0.name == name })
      let old = try #require(before.layout.entries.first { $0.name == name })
      let (columns, known) = (place.shape[1], vocabulary - 2)
      let (now, was) = (
        Array(values.elements[place.range]), Array(before.parameters.elements[old.range])
      )
      #expect(now[..<(known * columns)] == was[..<(known * columns)])
      #expect(now[(known * columns)..<was.count] != was[(known * columns)...])
    }
  }
}
