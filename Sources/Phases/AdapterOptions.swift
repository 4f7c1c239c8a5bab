import Configuration
import Tensors

/// The keys of LoRA adapters.
package struct AdapterOptions: Sendable {
  /// The adapters, without new heads, which the phase adds; nil trains all weights.
  package let lora: LoRA?

  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    let rank = try reader.integer(
      "lora.rank", default: 0, in: 0...4096,
      help: "rank of the LoRA adapters that are trained instead of the weights; 0 trains the "
        + "weights")
    let alpha = try reader.number(
      "lora.alpha", default: 16, in: 1e-3...1e6,
      help: "the output of the adapters is scaled by alpha ÷ rank")
    let dropout = try reader.number(
      "lora.dropout", default: 0, in: 0...0.99, help: "dropout probability of the adapters' inputs")
    let targets = try reader.strings(
      "lora.targets", default: [ModulePattern.allLinear],
      help: "linear layers that get an adapter: suffixes of their names, regular expressions, or "
        + "all-linear")
    let wholes = try reader.strings(
      "lora.modulesToSave", default: [],
      help:
        "modules that are trained in full beside the adapters, such as lm_head: suffixes of their "
        + "names, or regular expressions")
    guard rank > 0 else {
      try reader.refuse(
        ["lora"], because: "it has no effect without lora.rank; set that or leave it out")
      lora = nil
      return
    }
    lora = LoRA(
      rank: rank, alpha: Float(alpha), dropout: Float(dropout), targets: targets,
      modulesToSave: wholes)
  }

  /// True when the trained model without its adapters equals the initial model.
  var keepsInitialWeights: Bool { lora?.modulesToSave.isEmpty == true }
}
