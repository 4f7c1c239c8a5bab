import Configuration
import Tensors

/// Low-rank adaptation as typed.
public struct AdapterOptions: Sendable {
  /// What is adapted and how, without new heads, which the phase names; nil trains the whole weights.
  public let lora: LoRA?

  /// Reads the keys.
  public init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    let rank = try reader.integer(
      "lora.rank", default: 0, in: 0...4096,
      help: "rank of the low-rank maps that are trained in place of the weights; 0 for those")
    let alpha = try reader.number(
      "lora.alpha", default: 16, in: 1e-3...1e6, help: "the maps are multiplied by alpha ÷ rank")
    let dropout = try reader.number(
      "lora.dropout", default: 0, in: 0...0.99, help: "share of the maps' inputs that is dropped")
    let targets = try reader.strings(
      "lora.targets", default: [ModulePattern.allLinear],
      help: "linear maps that are adapted: ends of their names, regular expressions, or all-linear")
    let wholes = try reader.strings(
      "lora.modulesToSave", default: [],
      help:
        "modules that are trained whole beside the maps, such as lm_head: ends of their names or "
        + "or regular expressions")
    let keys = ["lora.alpha", "lora.dropout", "lora.targets", "lora.modulesToSave"]
    guard rank > 0 else {
      for key in keys where reader.isChanged(key) {
        throw reader.rejection(
          of: key, because: "it has no effect without lora.rank; set that or leave it out")
      }
      lora = nil
      return
    }
    lora = LoRA(
      rank: rank, alpha: Float(alpha), dropout: Float(dropout), targets: targets,
      modulesToSave: wholes)
  }

  /// Whether the model without its low-rank maps is the one that the run began with.
  var keepsStart: Bool { lora?.modulesToSave.isEmpty == true }

  /// The same with `heads` trained whole.
  func lora(savingWhole heads: [String]) -> LoRA? {
    guard var lora else { return nil }
    lora.modulesToSave += heads
    return lora
  }
}
