import Foundation
import Tensors

/// PEFT's `adapter_config.json`: the LoRA settings, and the base model of the adapter.
package struct AdapterConfiguration: Sendable, Equatable {
  /// The name of the file.
  package static let fileName = "adapter_config.json"
  /// The name of the file with the adapter's weights.
  package static let weightsName = "adapter_model.safetensors"
  /// The prefix that PEFT puts before the names of parameters.
  package static let prefix = "base_model.model."

  /// Rank, alpha, dropout and patterns.
  package let lora: LoRA
  /// The folder of the base model, as written in the file.
  package let base: String

  /// Reads the file in `folder`.
  ///
  /// - Throws: `ModelError` if the file cannot be read or has a value that Apus does not support.
  package init(folder: String) throws(ModelError) {
    let fields = try ConfigurationFile.fields("\(folder)/\(AdapterConfiguration.fileName)")
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
      dropout: try fields.rate("lora_dropout", default: 0),
      targets: try fields.texts("target_modules"),
      modulesToSave: try fields.texts("modules_to_save"),
      isRankStabilized: try fields.flag("use_rslora", default: false))
  }

  /// Returns PEFT's keys for the trained parameters of `network`.
  ///
  /// If a target pattern is not a plain name, all adapted layers are listed by name, so that PEFT
  /// adapts the same layers.
  ///
  /// - Parameters:
  ///   - layout: The layout of the trainable parameters.
  ///   - adapters: The LoRA adapters of `layout`.
  ///   - base: The folder of the base model.
  package static func json(
    of network: any NetworkConfiguration, layout: ParameterLayout, adapters: LoRALayout,
    base: String
  ) -> [String: ConfigurationValue] {
    let lora = adapters.configuration
    let isPlain = lora.targets.allSatisfy {
      $0 != ModulePattern.allLinear && ModulePattern.isName($0)
    }
    let targets = Set(isPlain ? lora.targets : adapters.adapters.map(\.name)).sorted()
    let adapted = Set(
      adapters.adapters.flatMap { [LoRALayout.downName($0.name), LoRALayout.upName($0.name)] })
    // A value head is not part of the model that PEFT opens.
    let whole = layout.entries.map(\.name).filter {
      !adapted.contains($0) && !ValueHeadModelConfiguration.isOfHead($0)
    }
    let modules = Set(whole.map(ParameterLayout.module))
    let isClassifier = network is SequenceClassifierConfiguration
    let task = isClassifier ? "SEQ_CLS" : network.model.prediction.adapterTask
    return [
      "base_model_name_or_path": .text(base), "bias": .text("none"),
      "fan_in_fan_out": .flag(adapters.adapters.first?.order == .inputsByOutputs),
      "inference_mode": .flag(true), "lora_alpha": .number(Double("\(lora.alpha)") ?? 1),
      "lora_dropout": .number(Double("\(lora.dropout)") ?? 0),
      "modules_to_save": modules.isEmpty ? .null : .list(modules.sorted().map { .text($0) }),
      "peft_type": .text("LORA"), "r": .integer(lora.rank),
      "target_modules": .list(targets.map { .text($0) }),
      "task_type": task.map { .text($0) } ?? .null,
      "use_rslora": .flag(lora.isRankStabilized),
    ]
  }
}
