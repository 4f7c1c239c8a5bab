// The keys in PEFT's `adapter_config.json`: those of `LoraConfig`, with what Apus does with them.

import Tensors

extension AdapterConfiguration {
  static var keys: [ConfigurationKey<Self>] {
    [
      kind,
      .only("bias", ["none"]).notNull,
      .unsupported(
        "use_dora", "lora_bias", "use_qalora", "use_bdlora", "alpha_pattern", "rank_pattern",
        "exclude_modules", "layer_replication", "target_parameters",
        "trainable_token_indices", "alora_invocation_tokens", "megatron_config", "arrow_config",
        "kasa_config", "monteclora_config"),
      initialization,
      ConfigurationKey("base_model_name_or_path", \.base) { fields, _ throws(ModelError) in
        try fields.text("base_model_name_or_path")
      } write: {
        .text($0)
      },
      taskType,
      .size("r", \.lora.rank, atMost: ModelLimits.width, default: 8).notNull,
      .positive("lora_alpha", \.lora.alpha, isFloat: false, default: 8),
      .rate("lora_dropout", \.lora.dropout, default: 0).notNull,
      modules("target_modules", \.lora.targets, mayBeEmpty: false),
      modules("modules_to_save", \.lora.modulesToSave, mayBeEmpty: true),
      layers, layersPattern,
      .flag("use_rslora", \.lora.isRankStabilized, default: false),
      .flag("ensure_weight_tying", \.tiesSavedEmbedding, default: false),
      .irrelevant(
        ["fan_in_fan_out"], because: "the base model's class says how its weights are stored",
        writing: { .flag($0.storesInputsFirst) }),
      .irrelevant(
        ["inference_mode"], because: "the command says whether the adapter is trained",
        writing: { _ in .flag(true) }),
      .irrelevant(
        ["auto_mapping", "peft_version", "revision", "runtime_config", "megatron_core"],
        because: "they say with which programs, and from where, PEFT loads the model"),
      .irrelevant(
        [
          "loftq_config", "eva_config", "corda_config", "lora_ga_config", "qalora_group_size",
        ],
        because: "they are details of init_lora_weights and use_qalora"),
      .irrelevant(
        ["velora_config"], because: "it approximates gradients of PEFT's training only"),
    ]
  }

  private static var kind: ConfigurationKey<Self> {
    let (name, kind) = ("peft_type", "LORA")
    return ConfigurationKey([name], .refused) { fields, _ throws(ModelError) in
      try fields.require(name, oneOf: [kind], default: "")
    } write: { _, json in
      json[name] = .text(kind)
    }
  }

  /// The kinds of `init_lora_weights` that leave the base model's weights as they are; the others
  /// change them, in training and whenever PEFT loads the adapter.
  private static let initializations: [ConfigurationValue] =
    [.flag(true), .flag(false)] + ["gaussian", "eva", "orthogonal", "mica"].map { .text($0) }

  private static var initialization: ConfigurationKey<Self> {
    let name = "init_lora_weights"
    return ConfigurationKey([name], .refused) { fields, _ throws(ModelError) in
      let value = fields.has(name) ? fields.values[name] ?? .null : .flag(true)
      guard initializations.contains(value) else {
        throw .unsupported(
          path: fields.path, key: name, value: value.text,
          supported: initializations.map(\.text).joined(separator: ", ")
            + "; the others change the base model's weights, and PEFT's save_pretrained(…, "
            + "path_initial_model_for_weight_conversion=…) turns such an adapter into a plain one")
      }
    } write: { _, json in
      json[name] = .flag(true)
    }
  }

  private static var taskType: ConfigurationKey<Self> {
    let name = "task_type"
    return ConfigurationKey([name]) { fields, model throws(ModelError) in
      model.task = try fields.has(name) ? fields.text(name) : nil
      try fields.require(
        name,
        oneOf: ["CAUSAL_LM", "SEQ_2_SEQ_LM", "SEQ_CLS", "TOKEN_CLS", "FEATURE_EXTRACTION"],
        default: "CAUSAL_LM")
    } write: { model, json in
      json[name] = model.task.map { .text($0) } ?? .null
    }
  }

  /// A list of modules; PEFT writes `null` for an empty one.
  ///
  /// Without `target_modules` PEFT takes those that it lists for the kind of the base model.
  private static func modules(
    _ name: String, _ property: WritableKeyPath<Self, [String]>, mayBeEmpty: Bool
  ) -> ConfigurationKey<Self> {
    ConfigurationKey(name, property) { fields, _ throws(ModelError) in
      let modules = try fields.texts(name)
      guard mayBeEmpty || !modules.isEmpty else {
        throw .unsupported(
          path: fields.path, key: name, value: "without a module",
          supported: "the modules by name, such as [q_proj, v_proj]")
      }
      return modules
    } write: {
      $0.isEmpty ? .null : .list($0.map { .text($0) })
    }
  }

  /// One layer or a list; PEFT refuses it beside an expression in `target_modules`.
  private static var layers: ConfigurationKey<Self> {
    let name = "layers_to_transform"
    return ConfigurationKey(name, \.layers) { fields, _ throws(ModelError) in
      let values =
        switch fields.values[name] ?? .null {
        case .null: [ConfigurationValue]()
        case .list(let list): list
        case let value: [value]
        }
      var layers: [Int] = []
      for value in values {
        guard case .integer(let layer) = value else {
          throw fields.refusal(name, value, "the number of a layer, or a list of them")
        }
        layers.append(layer)
      }
      if !layers.isEmpty, case .text(let targets) = fields.values["target_modules"] ?? .null {
        throw .unsupported(
          path: fields.path, key: "target_modules beside \(name)", value: targets,
          supported: "a list of modules by name, as in PEFT")
      }
      return layers
    } write: {
      $0.isEmpty ? .null : .list($0.map { .integer($0) })
    }
  }

  private static var layersPattern: ConfigurationKey<Self> {
    let name = "layers_pattern"
    return ConfigurationKey(name, \.layersPatterns) { fields, _ throws(ModelError) in
      let patterns = try fields.texts(name).filter { !$0.isEmpty }
      if let other = patterns.first(where: { !ModulePattern.isName($0) }) {
        throw .unsupported(
          path: fields.path, key: name, value: other,
          supported: "the names of the modules that number the layers, such as layers")
      }
      return patterns
    } write: {
      $0.isEmpty ? .null : .list($0.map { .text($0) })
    }
  }
}
