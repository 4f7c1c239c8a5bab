import Foundation
import Tensors

/// PEFT's `adapter_config.json`: low-rank maps, and the model beside which they were trained.
public struct AdapterConfiguration: Sendable, Equatable {
  /// The name of the file.
  public static let fileName = "adapter_config.json"
  /// The name of the file with the adapter's weights.
  public static let weightsName = "adapter_model.safetensors"
  /// What PEFT puts before the names of parameters.
  public static let prefix = "base_model.model."

  /// Rank, scale and patterns.
  public let lora: LoRA
  /// The base's folder, as written.
  public let base: String

  /// Reads the file in `folder`.
  ///
  /// - Throws: Also where it asks for what Apus does not compute.
  public init(folder: String) throws(ModelError) {
    let path = "\(folder)/\(AdapterConfiguration.fileName)"
    let fields = ConfigurationFields(values: try ConfigurationFile.values(path), path: path)
    try fields.require("peft_type", oneOf: ["LORA"], default: "")
    try fields.require("bias", oneOf: ["none"], default: "none")
    for key in ["use_dora", "lora_bias", "use_qalora"] { try fields.require(key, false) }
    for key in [
      "alpha_pattern", "rank_pattern", "exclude_modules", "layers_to_transform",
      "layer_replication", "target_parameters", "trainable_token_indices",
      "alora_invocation_tokens", "use_bdlora",
    ] {
      try fields.requireNothing(key)
    }
    base = try fields.text("base_model_name_or_path")
    lora = LoRA(
      rank: try fields.size("r", atMost: ModelLimits.width, default: 8),
      alpha: Float(try fields.positive("lora_alpha", default: 8)),
      dropout: try fields.share("lora_dropout", default: 0),
      targets: try fields.texts("target_modules"),
      modulesToSave: try fields.texts("modules_to_save"),
      isRankStabilized: try fields.flag("use_rslora", default: false))
  }

  /// PEFT's keys for the trained parameters of `network`.
  ///
  /// Where a pattern is no plain name, the maps are named one by one, so that PEFT adapts the same.
  ///
  /// - Parameters:
  ///   - layout: What is trained, with `maps` in it.
  ///   - base: The base's folder.
  public static func json(
    of network: any NetworkConfiguration, layout: ParameterLayout, maps: LowRankMaps, base: String
  ) -> [String: ConfigurationValue] {
    let lora = maps.lora
    let isPlain = lora.targets.allSatisfy {
      $0 != ModulePattern.allLinear && ModulePattern.isName($0)
    }
    let targets = Set(isPlain ? lora.targets : maps.maps.map(\.name)).sorted()
    let adapted = Set(
      maps.maps.flatMap { [LowRankMaps.downName($0.name), LowRankMaps.upName($0.name)] })
    // A value head is no part of the model that PEFT opens.
    let whole = layout.entries.map(\.name).filter {
      !adapted.contains($0) && !ValuedModelConfiguration.isOfHead($0)
    }
    let modules = Set(whole.map(ParameterLayout.module))
    let isScorer = network is SequenceScorerConfiguration
    let task: ConfigurationValue =
      switch network.model.prediction {
      case .nextToken: .text("CAUSAL_LM")
      case .target: .text("SEQ_2_SEQ_LM")
      case .maskedToken: .null
      }
    return [
      "base_model_name_or_path": .text(base), "bias": .text("none"),
      "fan_in_fan_out": .flag(maps.maps.first?.order == .inputsByOutputs),
      "inference_mode": .flag(true), "lora_alpha": .number(Double("\(lora.alpha)") ?? 1),
      "lora_dropout": .number(Double("\(lora.dropout)") ?? 0),
      "modules_to_save": modules.isEmpty ? .null : .list(modules.sorted().map { .text($0) }),
      "peft_type": .text("LORA"), "r": .integer(lora.rank),
      "target_modules": .list(targets.map { .text($0) }),
      "task_type": isScorer ? .text("SEQ_CLS") : task,
      "use_rslora": .flag(lora.isRankStabilized),
    ]
  }
}

extension ConfigurationFields {
  /// Texts, also a single one; none where there is no such key.
  func texts(_ key: String) throws(ModelError) -> [String] {
    switch values[key] ?? .null {
    case .null: return []
    case .text(let text): return [text]
    case .list(let list):
      var texts: [String] = []
      for value in list {
        guard case .text(let text) = value else {
          throw .badConfiguration(
            path: path, reason: "\(key) holds \(value.text), where texts are needed")
        }
        texts.append(text)
      }
      return texts
    case let other:
      throw .badConfiguration(
        path: path, reason: "\(key) is \(other.text), where a list of texts is needed")
    }
  }

  /// Refuses a key that asks for something the program does not compute.
  func requireNothing(_ key: String) throws(ModelError) {
    switch values[key] ?? .null {
    case .null, .flag(false): return
    case .list(let list) where list.isEmpty: return
    case .map(let map) where map.isEmpty: return
    case let other:
      throw .unsupported(path: path, key: key, value: other.text, supported: "none")
    }
  }
}
