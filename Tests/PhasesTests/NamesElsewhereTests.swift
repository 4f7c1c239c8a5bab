import Testing

@testable import Configuration
@testable import Phases

@Suite struct NamesElsewhereTests {
  /// A name of another trainer leads to a key that a phase has.
  @Test func everyNameLeadsToAKey() {
    let keys = Set(
      PhaseKind.allCases.flatMap { phase in
        ((try? ConfigurationReader.schema { try phase.type.readKeys(&$0) }) ?? []).map(\.path)
      })
    #expect(Spelling.namesElsewhere.keys.allSatisfy(keys.contains))
    let names = Spelling.namesElsewhere.values.joined()
    #expect(Set(names).count == names.count)
  }

  private func sentence(_ kind: PhaseKind, _ name: String) -> String {
    do {
      var reader = try ConfigurationReader(
        yaml: "", file: "the command line", overrides: ["\(name)=1"])
      try kind.type.checkKeys(&reader)
      return "nothing was refused"
    } catch {
      return "\(error)"
    }
  }

  /// Keys of transformers' and TRL's trainers, also in a configuration that lacks required keys.
  @Test(arguments: [
    ("beta", "dpo.beta"), ("warmup_ratio", "schedule.warmup"), ("warmup_steps", "schedule.warmup"),
    ("gradient_accumulation_steps", "batch.microBatches"),
    ("per_device_train_batch_size", "batch.sequences"), ("num_train_epochs", "epochs"),
    ("learning_rate", "optimizer.learningRate"), ("lr", "optimizer.learningRate"),
    ("max_seq_length", "model.context"), ("max_length", "model.context"), ("lora_r", "lora.rank"),
    ("lora_alpha", "lora.alpha"), ("lora_dropout", "lora.dropout"),
    ("target_modules", "lora.targets"), ("bf16", "precision"), ("fp16", "precision"),
    ("output_dir", "run"), ("logging_steps", "log.every"), ("save_steps", "checkpoint.every"),
    ("eval_steps", "evaluate.every"), ("data_seed", "seed"),
    ("lr_scheduler_type", "schedule.name"), ("weight_decay", "optimizer.weightDecay"),
    ("max_grad_norm", "optimizer.clip"), ("adam_beta1", "optimizer.betas"),
    ("adam_epsilon", "optimizer.epsilon"), ("optim", "optimizer.name"),
    ("num_generations", "rollouts.samples"), ("max_completion_length", "rollouts.tokens"),
    ("cutoff_len", "model.context"), ("save_every", "checkpoint.every"),
    ("eval_every", "evaluate.every"), ("data.path", "data.train"), ("model.path", "model.from"),
    ("kl_coef", "kl.coefficient"), ("loss_type", "dpo.loss"),
  ])
  func aNameOfAnotherTrainerIsTranslated(name: String, key: String) {
    let sentence = sentence(.align, name)
    #expect(sentence.contains("no key \(name); did you mean \(key)?"), "\(sentence)")
  }

  /// A name for a key that only another phase has names both.
  @Test func aNameOfAnotherPhasesKeyIsTranslated() {
    #expect(sentence(.finetune, "beta").contains("no key beta; dpo.beta is a key of align: use"))
    #expect(sentence(.pretrain, "lora_r").contains("no key lora_r; lora.rank is a key of finetune"))
    #expect(sentence(.finetune, "dpo.beta").contains("no key dpo; it is a key of align"))
  }

  /// A setting that is fixed here, or no key, has its sentence.
  @Test(arguments: [
    ("packing", "always packed"), ("assistant_only_loss", "the answers alone"),
    ("threads", "the option --threads"),
  ])
  func aNameWithoutAKeyIsExplained(name: String, words: String) {
    for phase in PhaseKind.allCases {
      let sentence = sentence(phase, name)
      #expect(sentence.contains("no key \(name); ") && sentence.contains(words), "\(sentence)")
    }
  }

  /// A required key is asked for when every written key is known.
  @Test func unknownKeysAreReportedBeforeMissingOnes() {
    #expect(sentence(.finetune, "lr").contains("no key lr; did you mean optimizer.learningRate?"))
    #expect(sentence(.finetune, "seed").contains("the required key model.from is missing"))
    #expect(sentence(.finetune, "model.form").contains("misspelt as model.form"))
  }

  @Test(arguments: [
    ("dpo", "align with method: dpo"), ("PPO", "align with method: ppo"), ("sft", "finetune"),
    ("reward_model", "reward"), ("clm", "pretrain"), ("align", nil), ("x", nil),
  ])
  func aMethodLeadsToItsPhase(word: String, phase: String?) {
    #expect(PhaseKind.known(elsewhereAs: word) == phase)
  }
}
