// The keys that every class of transformers has, from `PreTrainedConfig`, and those of its earlier
// releases, which published files still have.

extension ConfigurationKey where Model: ModelConfiguration {
  /// The keys of every family; no property of the model is read from them.
  static var common: [Self] {
    [
      // Quantized weights need the scales that it describes.
      .unsupported("quantization_config"),
      .unsupported("per_layer_config", "pruned_heads", "tie_encoder_decoder"),
      // The network's kind and its labels, which `ConfigurationFile.readNetwork` reads.
      .readElsewhere("architectures") { .list([.text($0.architecture.name)]) },
      .readElsewhere("id2label", "num_labels", "problem_type"),
      .irrelevant(["label2id"], because: "id2label holds the same pairs"),
      .irrelevant(
        ["use_cache"], because: "generation always caches keys and values, with the same results",
        writing: { _ in .flag(true) }),
      // transformers 4 reads `torch_dtype`, 5 `dtype`.
      .irrelevant(
        ["dtype", "torch_dtype"],
        because: "the files say of which type the weights are, and --precision how to compute",
        writing: { _ in .text("float32") }),
      .irrelevant(
        ["chunk_size_feed_forward", "pretraining_tp"],
        because: "a layer computed in parts has the same results"),
      .irrelevant(
        [
          "attn_implementation", "_attn_implementation", "_attn_implementation_internal",
          "_attn_implementation_autoset", "experts_implementation", "gradient_checkpointing",
          "torchscript", "tf_legacy_loss", "use_bfloat16", "low_cpu_mem_usage",
        ], because: "it chooses among implementations of the same computation"),
      .irrelevant(
        [
          "output_attentions", "output_hidden_states", "tie_last_hidden_states", "return_dict",
          "use_return_dict", "output_past",
        ], because: "it says what a call in Python returns beside the result"),
      .irrelevant(
        [
          "_name_or_path", "name_or_path", "_commit_hash", "transformers_version",
          "finetuning_task", "tokenizer_class", "processor_class", "transformers.js_config",
        ], because: "it says where the model comes from and which programs open it"),
      .irrelevant(
        ["auto_map", "custom_pipelines"],
        because: "the class of transformers is computed, not code beside the weights"),
      .irrelevant(
        ["bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id", "sep_token_id"],
        because: "the tokenizer and generation_config.json hold the special tokens"),
      .irrelevant(
        ["is_encoder_decoder", "is_decoder", "add_cross_attention", "cross_attention_hidden_size"],
        because: "only the classes whose list refuses other values read it"),
      .irrelevant(
        generation, because: "transformers reads them from generation_config.json only"),
      .irrelevant(
        ["task_specific_params", "prefix"], because: "they are advice for pipelines in Python"),
    ]
  }

  /// The settings for generating text that `config.json` had in earlier releases.
  private static var generation: [String] {
    [
      "assistant_confidence_threshold", "assistant_lookbehind", "bad_words_ids",
      "begin_suppress_tokens", "cache_implementation", "diversity_penalty", "do_sample",
      "early_stopping", "encoder_no_repeat_ngram_size", "encoder_repetition_penalty",
      "epsilon_cutoff", "eta_cutoff", "exponential_decay_length_penalty", "forced_bos_token_id",
      "forced_eos_token_id", "length_penalty", "max_length", "max_new_tokens", "min_length",
      "no_repeat_ngram_size", "num_assistant_tokens", "num_assistant_tokens_schedule",
      "num_beam_groups", "num_beams", "num_return_sequences", "output_scores",
      "remove_invalid_values", "repetition_penalty", "return_dict_in_generate",
      "suppress_tokens", "target_lookbehind", "temperature", "top_k", "top_p", "typical_p",
    ]
  }
}
