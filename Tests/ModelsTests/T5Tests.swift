import Files
import Foundation
import Layers
import Testing

@testable import Checkpoints
@testable import Models
@testable import Tensors

/// The parts of T5 compared with transformers', and configuration files of several of its versions.
@Suite struct T5Tests {
  static let cases = ["t5-relu", "t5-gated", "t5-long", "mt5"]

  private struct Bound {
    let workspace: Workspace
    let backbone: T5
    let golden: GoldenFile
    let source: EncoderInput

    init(_ name: String, _ precision: Precision = .fp32) throws {
      workspace = Workspace(precision: precision)
      golden = try GoldenFile(name)
      let configuration = try #require(
        try ConfigurationFile.read("\(golden.folder)/config.json") as? T5Configuration)
      let layout = configuration.layout
      let values = try ModelFiles.read(folder: golden.folder, layout: layout)
      let bf16Copy = precision == .bf16 ? BF16Buffer(count: layout.count) : nil
      bf16Copy?.round(values, 0..<layout.count)
      var backbone: T5?
      workspace.bind(layout, values: values, bf16Copy: bf16Copy) { parameters in
        backbone = configuration.backbone(parameters) as? T5
      }
      self.backbone = try #require(backbone)
      source = EncoderInput(
        ids: try golden.integers("sources"), lengths: try golden.integers("source_lengths"))
    }
  }

  @Test(arguments: cases) func encoderStatesEqualThoseOfTransformers(name: String) throws {
    let bound = try Bound(name)
    let pass = ForwardPass(sequences: bound.source.lengths.count)
    let error = worstError(
      bound.backbone.encoded(bound.source, pass).values, try bound.golden.floats("encoded"))
    print("\(name): worst error of the encoder's states \(error)")
    #expect(error <= 5e-6)
  }

  @Test(arguments: cases) func crossAttentionEqualsThatOfTransformers(name: String) throws {
    let bound = try Bound(name)
    let sequences = bound.source.lengths.count
    let tensor = { (name: String) in
      let values = try bound.golden.floats(name)
      let width = bound.backbone.tokens.weight.columns
      return Tensor(values, shape: [values.count / width, width], in: bound.workspace)
    }
    let attention = try #require(bound.backbone.decoder.blocks.last?.crossAttention)
    let x = try tensor("cross_input")
    let y = attention(
      x, memory: T5Memory(states: try tensor("encoded"), lengths: bound.source.keyLengths),
      ForwardPass(sequences: sequences))
    let expected = try bound.golden.floats("cross_output")
    let error = worstError(y.values, expected)
    print("\(name): worst error of the cross-attention \(error)")
    #expect(error <= 5e-6)
    // The cross-attention changes its input.
    #expect(worstError(x.values, expected) > 0.01)
  }

  /// The padding of an encoder input does not change the hidden states.
  @Test(arguments: Precision.allCases) func paddingDoesNotChangeTheResult(precision: Precision)
    throws
  {
    let bound = try Bound("t5-relu", precision)
    let ids = try bound.golden.integers("input_ids")
    let logits = { (source: EncoderInput) in
      bound.backbone.hidden(ids, ForwardPass(sequences: 3, encoderInput: source)).expanded.values
    }
    var other = bound.source.ids
    let length = other.count / 3
    for (row, own) in bound.source.lengths.enumerated() {
      for place in row * length + Int(own)..<(row + 1) * length { other[place] = 9 }
    }
    #expect(other != bound.source.ids)
    #expect(
      logits(EncoderInput(ids: other, lengths: bound.source.lengths)) == logits(bound.source))
    #expect(
      logits(EncoderInput(ids: other, lengths: [11, 11, 11])) != logits(bound.source))
  }

  /// The hidden states in bf16 are close to those in fp32.
  @Test(arguments: cases) func bf16IsCloseToFP32(name: String) throws {
    let (exact, half) = (try Bound(name), try Bound(name, .bf16))
    let ids = try exact.golden.integers("input_ids")
    let hidden = { (bound: Bound) in
      bound.backbone.hidden(
        ids, ForwardPass(sequences: bound.source.lengths.count, encoderInput: bound.source)
      ).expanded.values
    }
    #expect(worstError(hidden(half), hidden(exact)) < 0.05)
  }

  private func read(_ json: [String: ConfigurationValue]) throws -> T5Configuration {
    try #require(
      try ConfigurationFile.parse(ConfigurationFile.bytes(json), path: "config.json")
        as? T5Configuration)
  }

  @Test func writtenConfigurationsAreReadBack() throws {
    for name in Self.cases {
      let configuration = try ConfigurationFile.read("\(GoldenTests.path(name))/config.json")
      let t5 = try #require(configuration as? T5Configuration)
      #expect(try read(t5.json) == t5, "\(name)")
      #expect(t5.tied == ["t5-relu", "t5-long"].contains(name))
      #expect(t5.isGated == ["t5-gated", "mt5"].contains(name))
    }
  }

  /// The files of version 4 and of the first releases omit keys that later ones have.
  @Test func filesOfOtherTransformersVersionsAreRead() throws {
    let small: [String: ConfigurationValue] = [
      "model_type": .text("t5"), "vocab_size": .integer(40), "d_model": .integer(16),
      "d_kv": .integer(8), "d_ff": .integer(20), "num_layers": .integer(2),
      "num_heads": .integer(2),
    ]
    let first = try read(small)
    #expect(first.tied && !first.isGated && first.decoderLayers == 2 && first.outputScale == 0.25)
    #expect((first.start, first.padding, first.ends.first) == (0, 0, 1))
    #expect((first.buckets, first.maximumDistance, first.dropout) == (32, 128, 0.1))
    #expect(first.context == 512)
    let later = try read(
      small.merging([
        "tie_word_embeddings": .flag(false), "feed_forward_proj": .text("gated-gelu"),
        "num_decoder_layers": .integer(3), "decoder_start_token_id": .integer(7),
        "n_positions": .integer(99),
      ]) { $1 })
    #expect(!later.tied && later.isGated && later.decoderLayers == 3 && later.outputScale == 1)
    #expect(later.start == 7 && later.context == 99)
    let multilingual = try read(small.merging(["model_type": .text("mt5")]) { $1 })
    #expect(!multilingual.tied && multilingual.isGated && multilingual.kind == .mt5)
  }

  @Test(arguments: [
    ("feed_forward_proj", ConfigurationValue.text("gated-silu")),
    ("is_encoder_decoder", .flag(false)), ("relative_attention_num_buckets", .integer(3)),
    ("relative_attention_max_distance", .integer(16)), ("decoder_start_token_id", .integer(40)),
    ("dropout_rate", .number(1)), ("layer_norm_epsilon", .number(0)),
  ])
  func unsupportedValuesAreRefused(key: String, value: ConfigurationValue) throws {
    var json = try read([
      "model_type": .text("t5"), "vocab_size": .integer(40), "d_model": .integer(16),
      "d_kv": .integer(8), "d_ff": .integer(20), "num_layers": .integer(2),
      "num_heads": .integer(2),
    ]).json
    json[key] = value
    let error = #expect(throws: ModelError.self) { try read(json) }
    #expect("\(error.map { "\($0)" } ?? "")".contains(key))
  }

  /// If a file lacks the head, the embedding is used, under any of its names.
  @Test func aMissingHeadIsTheEmbedding() throws {
    let source = try SafeTensorsFile(path: GoldenTests.path("t5-relu/model.safetensors"))
    var json = try ConfigurationFile.read(GoldenTests.path("t5-relu/config.json")).json
    json["tie_word_embeddings"] = .flag(false)
    json["scale_decoder_outputs"] = .flag(false)
    let layout = try read(json).layout
    for embedding in ["shared.weight", "decoder.embed_tokens.weight"] {
      let folder = try Folder()
      var tensors: [SafeTensor] = []
      for name in source.names {
        let tensor = try source.tensor(named: name)
        tensors.append(
          SafeTensor(
            name: name == "shared.weight" ? embedding : name, dtype: tensor.dtype,
            shape: tensor.shape, bytes: tensor.bytes))
      }
      var file = try DurableFile(creating: "\(folder.path)/model.safetensors")
      try SafeTensorsWriter(tensors).write(to: &file)
      _ = try file.close()
      let read = try ModelFiles.read(folder: folder.path, layout: layout)
      let entry = { (name: String) in
        layout.entries.first { $0.name == name }.map { Array(read.elements[$0.range]) }
      }
      #expect(entry("shared.weight") == entry("lm_head.weight"))
      #expect(entry("shared.weight")?.contains { $0 != 0 } == true)
    }
  }
}
