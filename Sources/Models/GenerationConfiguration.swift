import Files
import Foundation

/// The settings for generating text with a model: the contents of `generation_config.json`.
///
/// All keys of the file are kept, so that a model that is trained further and exported has them too.
package struct GenerationConfiguration: Sendable, Equatable {
  package static let fileName = "generation_config.json"

  /// The ids that end a text (`eos_token_id`); any of them stops the generation.
  package let ends: [Int32]
  /// The id that begins a text without a prompt (`bos_token_id`); nil when unspecified.
  package let beginning: Int32?
  /// The padding id (`pad_token_id`); nil when unspecified.
  package let padding: Int32?
  /// True to sample and false to take the most likely token (`do_sample`); nil when unspecified.
  package let isSampled: Bool?
  /// The divisor of the logits; nil when unspecified.
  package let temperature: Float?
  /// The number of most likely tokens to sample from; nil when unspecified, or for all.
  package let topK: Int?
  /// The probability that the tokens to sample from reach together; nil when unspecified.
  package let topP: Float?
  /// The number of new tokens at most (`max_new_tokens`); nil when unspecified.
  package let maximumNewTokens: Int?
  /// The number of texts for a prompt (`num_return_sequences`); nil when unspecified.
  package let samples: Int?
  /// The keys that change the generated tokens and that Apus does not use, as `key value`.
  package let unused: [String]
  /// The keys of the file in order.
  private let members: [(key: String, value: JSONValue)]

  /// Reads the file in `folder`; without one, takes the special ids of `config.json`, with the values
  /// of missing keys in the class of `model`, as transformers does.
  ///
  /// - Throws: `ModelError.badConfiguration` for values that are not admitted.
  package init(folder: String, of model: any ModelConfiguration) throws(ModelError) {
    let own = FileSystem.join(folder, Self.fileName)
    guard !FileStatus.isPresent(own) else {
      try self.init(ConfigurationFile.members(own), path: own)
      return
    }
    let path = FileSystem.join(folder, "config.json")
    let (stated, json) = (try ConfigurationFile.members(path), model.json)
    let members = Self.specialIDs.compactMap { key in
      let value = stated.first { $0.key == key }?.value ?? json[key]?.ids
      return value.flatMap { $0.isNull ? nil : (key: key, value: $0) }
    }
    try self.init(members, path: path)
  }

  private static let specialIDs = [
    "bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id",
  ]

  private init(_ members: [(key: String, value: JSONValue)], path: String) throws(ModelError) {
    func value<Value>(
      _ key: String, _ needed: String, _ convert: (JSONValue) -> Value?
    ) throws(ModelError) -> Value? {
      guard let value = members.first(where: { $0.key == key })?.value, !value.isNull else {
        return nil
      }
      if let result = convert(value) { return result }
      throw .badConfiguration(
        path: path,
        reason: "\(key) is \(String(decoding: value.compact, as: UTF8.self)), where \(needed) is "
          + "needed")
    }
    ends =
      try value("eos_token_id", "an id or a list of ids") { value in
        let list = value.array ?? [value]
        let ids = list.compactMap(\.integer).compactMap { Int32(exactly: $0) }.filter { $0 >= 0 }
        return ids.count == list.count ? ids : nil
      } ?? []
    func id(_ key: String) throws(ModelError) -> Int32? {
      try value(key, "an id") { value in
        value.integer.flatMap { $0 >= 0 ? Int32(exactly: $0) : nil }
      }
    }
    beginning = try id("bos_token_id")
    let paddingKey = ConfigurationFields.paddingKey
    let hasPadding = members.contains {
      $0.key == paddingKey && $0.value.integer.map(ConfigurationFields.isNoPadding) != true
    }
    padding = hasPadding ? try id(paddingKey) : nil
    isSampled = try value("do_sample", "true or false", \.bool)
    temperature = try value("temperature", "a number of 0 or more") { value in
      value.number.map { Float($0) }.flatMap { $0 >= 0 && $0.isFinite ? $0 : nil }
    }
    let topK = try value("top_k", "a whole number of 0 or more") { value in
      value.integer.flatMap { $0 >= 0 ? $0 : nil }
    }
    self.topK = topK == 0 ? nil : topK
    topP = try value("top_p", "a number above 0 and at most 1") { value in
      value.number.map { Float($0) }.flatMap { $0 > 0 && $0 <= 1 ? $0 : nil }
    }
    func count(_ key: String) throws(ModelError) -> Int? {
      try value(key, "a whole number of 1 or more") { value in
        value.integer.flatMap { $0 >= 1 ? $0 : nil }
      }
    }
    let maximum = try count("max_new_tokens")
    maximumNewTokens = maximum
    samples = try count("num_return_sequences")
    unused = members.compactMap { key, value in
      let isSet = !value.isNull && value.array?.isEmpty != true && value.bool != false
      guard isSet, !Self.knownKeys.contains(key) else { return nil }
      // As in transformers, the number of new tokens replaces that of all tokens.
      if key == Self.lengthKey, maximum != nil { return nil }
      if let neutral = Self.unusedKeys[key] ?? nil, value.number == neutral { return nil }
      return "\(key) \(String(decoding: value.compact, as: UTF8.self))"
    }
    self.members = members
  }

  private static let lengthKey = "max_length"

  /// The keys of transformers' `GenerationConfig` that change the generated tokens and that Apus does
  /// not use, with the number that changes nothing; nil where only `null` and an empty list do.
  static let unusedKeys: [String: Double?] = [
    "repetition_penalty": 1, "encoder_repetition_penalty": 1, "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0, "num_beams": 1, "min_p": 0, "typical_p": 1,
    "epsilon_cutoff": 0, "eta_cutoff": 0, "min_length": 0, "min_new_tokens": 0,
    "guidance_scale": 1, "penalty_alpha": 0, "top_h": nil, "bad_words_ids": nil,
    "suppress_tokens": nil, "begin_suppress_tokens": nil, "sequence_bias": nil,
    "forced_bos_token_id": nil, "forced_eos_token_id": nil, "stop_strings": nil,
    "exponential_decay_length_penalty": nil, "watermarking_config": nil, "constraints": nil,
    "force_words_ids": nil, "dola_layers": nil, "token_healing": nil, "renormalize_logits": nil,
    lengthKey: nil, "max_time": nil,
  ]

  /// The keys that are used, and those that change only how transformers computes or what it returns
  /// beside the ids; any other key is reported as not applied.
  static let knownKeys: Set = [
    "bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id", "do_sample",
    "temperature", "top_k", "top_p", "_from_model_config", "transformers_version",
    "max_new_tokens", "num_return_sequences",
    // Other ways to compute the same tokens.
    "use_cache", "cache_implementation", "cache_config", "max_cache_len", "prefill_chunk_size",
    "compile_config", "disable_compile", "continuous_batching_config", "low_memory", "use_mtp",
    "assistant_confidence_threshold", "assistant_early_exit", "assistant_ensemble_weight",
    "assistant_lookbehind", "is_assistant", "max_matching_ngram_size", "num_assistant_tokens",
    "num_assistant_tokens_schedule", "prompt_lookup_num_tokens", "speculation_type",
    "target_lookbehind",
    // Further results of a call in Python.
    "output_attentions", "output_hidden_states", "output_logits", "output_scores",
    "return_dict_in_generate",
    // Of beam search, which num_beams asks for.
    "early_stopping", "length_penalty", "num_beam_groups", "diversity_penalty",
    // It changes nothing where logits are finite.
    "remove_invalid_values",
  ]

  /// Returns the text of the file of a model whose tokenizer ends a text with `endOfText`, and that
  /// also stops at `others`.
  ///
  /// - Parameters:
  ///   - published: The configuration of the model from which this one was trained; nil for none.
  ///   - endOfText: The end of the tokenizer's texts, which is also the beginning of a new model's.
  ///   - others: Further ids that end a text, such as the end of a turn.
  ///   - model: The model, which knows the id that begins a target and that of padding.
  package static func text(
    _ published: GenerationConfiguration?, endOfText: Int32, others: [Int32],
    of model: any ModelConfiguration
  ) -> String {
    var members = published?.members.filter { $0.key != "_from_model_config" } ?? []
    func set(_ key: String, _ value: JSONValue) {
      if let place = members.firstIndex(where: { $0.key == key }) {
        members[place].value = value
      } else {
        members.append((key, value))
      }
    }
    func setIfMissing(_ key: String, _ value: JSONValue) {
      if !members.contains(where: { $0.key == key && !$0.value.isNull }) { set(key, value) }
    }
    if published == nil { set("bos_token_id", .integer(Int(endOfText))) }
    var ends = published?.ends ?? []
    if ends.isEmpty { ends = [endOfText] }
    ends += others.filter { !ends.contains($0) }
    set(
      "eos_token_id",
      ends.count == 1
        ? .integer(Int(ends[0])) : .array(ends.map { .integer(Int($0)) }))
    if let start = model.start {
      setIfMissing("decoder_start_token_id", .integer(start))
      setIfMissing("pad_token_id", .integer(model.padding ?? start))
    }
    return String(decoding: JSONValue.object(members).indented, as: UTF8.self) + "\n"
  }

  package static func == (left: Self, right: Self) -> Bool {
    JSONValue.object(left.members).compact == JSONValue.object(right.members).compact
  }
}

extension ConfigurationValue {
  /// The value of a key of token ids, for another file; nil for other values.
  fileprivate var ids: JSONValue? {
    switch self {
    case .integer(let id): .integer(id)
    case .list(let values): .array(values.compactMap(\.ids))
    default: nil
    }
  }
}
