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

  /// PEFT's kinds of tasks for which it builds another head than the language model's.
  package enum HeadTask: String, Sendable {
    case sequenceClassification = "SEQ_CLS"
    case tokenClassification = "TOKEN_CLS"
  }

  /// Rank, alpha, dropout and patterns.
  package var lora = LoRA(rank: 8, alpha: 8, targets: [])
  /// The folder of the base model, as written in the file.
  package var base = ""
  /// The layers whose modules are adapted; empty for all.
  var layers: [Int] = []
  /// The names of the modules that number the layers; empty for any.
  var layersPatterns: [String] = []
  /// PEFT's name of the task; nil when it is unspecified.
  var task: String?
  /// True when an embedding that is saved in full is also the weight of the head that is tied to it;
  /// otherwise PEFT unties the head.
  package var tiesSavedEmbedding = false
  /// True when the adapted weights are stored as inputs × outputs, as by GPT-2; written only.
  var storesInputsFirst = false

  /// Reads the file in `folder`.
  ///
  /// - Throws: `ModelError` if the file cannot be read or has a value that Apus does not support.
  package init(folder: String) throws(ModelError) {
    let fields = try ConfigurationFile.fields("\(folder)/\(AdapterConfiguration.fileName)")
    for key in Self.keys { try key.read(fields, &self) }
    let known = Set(Self.keys.flatMap(\.names))
    // A key of another release belongs to a variant of LoRA.
    for key in fields.values.keys.sorted() where !known.contains(key) {
      try fields.requireNothing(key)
    }
  }

  /// The task for which PEFT puts another head on the base model; nil for others.
  package var headTask: HeadTask? { task.flatMap { HeadTask(rawValue: $0) } }

  /// Describes the trained parameters of `network`.
  ///
  /// If a target pattern is not a plain name, all adapted layers are listed by name, so that PEFT
  /// adapts the same layers.
  ///
  /// - Parameters:
  ///   - layout: The layout of the trainable parameters.
  ///   - adapters: The LoRA adapters of `layout`.
  ///   - base: The folder of the base model.
  package init(
    of network: any NetworkConfiguration, layout: ParameterLayout, adapters: LoRALayout,
    base: String
  ) {
    lora = adapters.configuration
    self.base = base
    let isPlain = lora.targets.allSatisfy {
      $0 != ModulePattern.allLinear && ModulePattern.isName($0)
    }
    lora.targets = Set(isPlain ? lora.targets : adapters.adapters.map(\.name)).sorted()
    let adapted = Set(
      adapters.adapters.flatMap { [LoRALayout.downName($0.name), LoRALayout.upName($0.name)] })
    // A value head is not part of the model that PEFT opens.
    let whole = layout.entries.map(\.name).filter {
      !adapted.contains($0) && !ValueHeadModelConfiguration.isOfHead($0)
    }
    var modules = Set(whole.map(ParameterLayout.module))
    if let head = network.model.tiedHeadName, let embedding = network.model.embeddingName,
      whole.contains(embedding)
    {
      tiesSavedEmbedding = true
      modules.insert(ParameterLayout.module(of: head))
    }
    lora.modulesToSave = modules.sorted()
    task =
      network is SequenceClassifierConfiguration
      ? HeadTask.sequenceClassification.rawValue : network.model.prediction.adapterTask
    storesInputsFirst = adapters.adapters.first?.order == .inputsByOutputs
  }

  /// PEFT's keys.
  package var json: [String: ConfigurationValue] {
    var json: [String: ConfigurationValue] = [:]
    for key in Self.keys { key.write(self, &json) }
    return json
  }
}
