extension PhaseKind {
  /// Returns the phase, with the key that it needs, that other trainers call `word`, as in "align with
  /// method: dpo"; nil for other words.
  package static func known(elsewhereAs word: String) -> String? {
    let name = word.lowercased().filter { $0 != "-" && $0 != "_" }
    if AlignmentMethod.names.contains(name) { return "\(align.rawValue) with method: \(name)" }
    return namesElsewhere.first { $0.value.contains(name) }?.key.rawValue
  }

  /// Returns the reason why `word` is not the name of a phase, and what to write instead.
  package static func refusal(of word: String) -> String {
    "\(word) is not a phase; "
      + (known(elsewhereAs: word).map { "it is \($0)." }
        ?? "choose \(allCases.map(\.rawValue).joined(separator: ", ")).")
  }

  /// The names that other trainers give to phases, in lower case and without `_` and `-`.
  private static let namesElsewhere: [PhaseKind: [String]] = [
    .pretrain: ["pt", "clm", "mlm", "pretraining"],
    .finetune: ["sft", "ft", "lora", "qlora", "classify", "instruct", "finetuning", "tune"],
    .reward: ["rm", "rewardmodel", "rewardmodeling", "rewardmodelling"],
    .align: ["rl", "rlhf", "rlvr", "preference", "alignment"],
  ]
}
