import Checkpoints
import Files
import Models
import Monitoring
import Tensors
import Training

/// The output of `apus model inspect`.
struct ModelSizes: Encodable {
  /// Bytes in each operand precision.
  struct Memory: Encodable {
    let fp32: Int
    let bf16: Int

    init(_ bytes: (Precision) -> Int) {
      (fp32, bf16) = (bytes(.fp32), bytes(.bf16))
    }

    var text: String { "\(ModelSizes.bytes(fp32)) in fp32, \(ModelSizes.bytes(bf16)) in bf16" }
  }

  let path: String
  let family: String
  let architecture: String
  let parameters: Int
  let embeddingParameters: Int
  /// Number of elements in the files, by data type.
  let precision: [String: Int]
  let files: Int
  let fileBytes: Int
  let context: Int
  let vocabulary: Int
  let tokenizerIds: Int
  let layers: Int
  let width: Int
  let trainBytes: Memory
  let loraRank: Int
  let loraParameters: Int
  let loraTrainBytes: Memory
  let serveBytes: Memory
  /// Bytes of the KV cache per token, over all layers; nil for a masked language model.
  let cacheBytesPerToken: Memory?

  init(_ found: ModelInspection, loraRank: Int) throws {
    let model = found.model
    path = found.path
    family = found.family
    architecture = found.architecture
    parameters = found.parameters
    embeddingParameters = found.embeddings
    precision = Dictionary(uniqueKeysWithValues: found.precisions.map { ($0.type, $0.count) })
    files = found.files
    fileBytes = found.fileBytes
    context = model.context
    vocabulary = model.vocabulary
    tokenizerIds = found.tokens
    layers = model.layers
    width = model.width
    let whole = found.network.layout.count
    trainBytes = Memory { TrainingPlan.memory(trained: whole, frozen: 0, $0) }
    let lora = LoRA(
      rank: loraRank, alpha: 16, targets: [ModulePattern.allLinear],
      modulesToSave: found.network.headModules)
    let adapted = try found.network.layout(lora)
    self.loraRank = loraRank
    loraParameters = adapted.trainable.parameterCount
    loraTrainBytes = Memory {
      TrainingPlan.memory(trained: adapted.trainable.count, frozen: adapted.frozen.count, $0)
    }
    serveBytes = Memory { whole * $0.weightBytes }
    // In an encoder–decoder, a token of the encoder input takes as much as one of the output.
    cacheBytesPerToken =
      model.cachedLayers == 0
      ? nil : Memory { 2 * model.cachedLayers * model.keyWidth * $0.operandBytes }
  }

  var text: String {
    let types = precision.sorted { $0.key < $1.key }.map {
      precision.count == 1 ? $0.key : "\($0.value, "number") in \($0.key)"
    }
    var lines = [
      ("model", path),
      ("family", "\(family), \(architecture)"),
      ("parameters", "\(parameters), \(embeddingParameters) of them embeddings"),
      ("files", "\(files) of \(ModelSizes.bytes(fileBytes)), \(types.joined(separator: ", "))"),
      ("layers", "\(layers) of width \(width)"),
      ("context", "\(context, "token")"),
      ("vocabulary", "\(vocabulary) ids, \(tokenizerIds) in the tokenizer"),
      ("to train", "\(trainBytes.text): weights, gradient and AdamW's moments"),
      (
        "with LoRA",
        "\(loraTrainBytes.text): \(loraParameters) parameters of rank \(loraRank) trained"
      ),
      ("to serve", "\(serveBytes.text)"),
    ]
    if let cache = cacheBytesPerToken {
      lines.append(
        ("KV cache", "\(cache.fp32) bytes in fp32, \(cache.bf16) in bf16 per token"))
    }
    return lines.map { $0.padded(to: 12) + $1 }.joined(separator: "\n")
  }

  private static func bytes(_ count: Int) -> String {
    if count < 10 << 20 { return "\((count + 512) >> 10) KiB" }
    return "\((count + (1 << 19)) >> 20) MiB"
  }
}
