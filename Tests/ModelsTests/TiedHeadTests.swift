import Files
import Layers
import Models
import Testing

@testable import Checkpoints
@testable import Tensors

/// Weights files with a head beside a configuration that ties the head to the token embedding.
@Suite struct TiedHeadTests {
  /// Writes the weights of the golden folder `name` in `folder` with a tensor `head` more: the
  /// embedding, its rows rolled by `rows`.
  private func addHead(
    _ head: String, rolledBy rows: Int, to name: String, in folder: String, embedding: String
  ) throws {
    let source = try SafeTensorsFile(path: GoldenTests.path("\(name)/model.safetensors"))
    var tensors = try source.names.map { try source.tensor(named: $0) }
    let own = try source.tensor(named: embedding)
    let count = own.shape[1] * 4 * (own.shape[0] - rows)
    let rolled = Array(own.bytes[count...]) + Array(own.bytes[..<count])
    try rolled.withUnsafeBytes { bytes in
      tensors.append(SafeTensor(name: head, dtype: own.dtype, shape: own.shape, bytes: bytes))
      var file = try DurableFile(creating: "\(folder)/model.safetensors")
      try SafeTensorsWriter(tensors).write(to: &file)
      _ = try file.close()
    }
  }

  static let tied = [
    ("gpt2-tied", "transformer.wte.weight"), ("llama-gqa", "model.embed_tokens.weight"),
    ("qwen3", "model.embed_tokens.weight"), ("gemma-mha", "model.embed_tokens.weight"),
    ("t5-relu", "shared.weight"),
  ]

  /// transformers 5 warns that it does not tie, and computes with the head of the file.
  @Test(arguments: tied) func anotherHeadIsUsed(name: String, embedding: String) throws {
    let folder = try Folder()
    let path = try folder.copy(golden: name)
    try #require(try ModelFolder(path: path).configuration.tied)
    for (rows, isTied) in [(3, false), (0, true)] {
      try FileSystem.removeTree("\(path)/model.safetensors")
      try addHead("lm_head.weight", rolledBy: rows, to: name, in: path, embedding: embedding)
      let model = try LoadedModel(path: path)
      #expect(model.configuration.tied == isTied)
      let head = model.layout.entries.first { $0.name == "lm_head.weight" }
      #expect((head == nil) == isTied)
      // The embedding has the rows of the head, three further.
      guard let head, let own = model.layout.entries.first(where: \.isEmbedding) else { continue }
      let (rolled, plain) = (
        Array(model.parameters.elements[head.range]), Array(model.parameters.elements[own.range])
      )
      #expect(Array(rolled[(3 * own.shape[1])...]) == Array(plain.dropLast(3 * own.shape[1])))
    }
  }

  /// The head of BERT is always the embedding.
  @Test func anotherHeadOfBERTIsRefused() throws {
    let folder = try Folder()
    let path = try folder.copy(golden: "bert")
    try FileSystem.removeTree("\(path)/model.safetensors")
    try addHead(
      "cls.predictions.decoder.weight", rolledBy: 1, to: "bert", in: path,
      embedding: "bert.embeddings.word_embeddings.weight")
    let error = try #require(throws: CheckpointError.self) { try ModelFolder(path: path) }
    #expect("\(error)".contains("cls.predictions.decoder.weight"))
  }
}
