/// Suggestions for misspelt keys and subcommands.
package enum Spelling {
  /// The key or section most similar to `written`, the first of equals, or nil if none is similar.
  ///
  /// It compares whole paths, and the last components alone, for a correct key in the wrong
  /// section. Case, `_` and `-` are ignored, so that `learning_rate` finds `learningRate`.
  ///
  /// A name that other trainers use, such as `lr`, stands for the key of the same meaning.
  package static func nearest(to written: String, among keys: [String]) -> String? {
    let name = String(plain(lastWord(written)))
    if let key = namesElsewhere.first(where: { $0.value.contains(name) })?.key, keys.contains(key) {
      return key
    }
    var candidates = keys
    // Sections are candidates too: `optimiser:` stands for `optimizer:`.
    for section in keys.flatMap(sections(of:)) where !candidates.contains(section) {
      candidates.append(section)
    }
    var best: (key: String, cost: Double)?
    for candidate in candidates {
      guard let cost = cost(of: candidate, for: written) else { continue }
      if cost < best?.cost ?? .infinity { best = (candidate, cost) }
    }
    return best?.key
  }

  /// The names that PyTorch and Hugging Face's trainers give to keys, in lower case and without `_`.
  static let namesElsewhere = [
    "optimizer.learningRate": ["lr", "maxlr", "peaklr"],
    "optimizer.clip": ["maxgradnorm", "gradclip", "gradientclipping", "clipgrad"],
    "steps": ["maxsteps", "numsteps", "trainsteps", "maxiters", "iterations"],
    "epochs": ["numtrainepochs", "numepochs", "maxepochs", "trainepochs"],
    "earlyStopping.patience": ["earlystoppingpatience"],
    "batch.sequences": [
      "batchsize", "perdevicetrainbatchsize", "trainbatchsize", "microbatchsize",
    ],
    "batch.microBatches": ["gradientaccumulationsteps", "gradientaccumulation"],
    "schedule.warmup": ["warmupsteps", "warmupiters"],
    "schedule.final": ["minlr", "minlrratio"],
    "schedule.name": ["lrschedulertype", "lrscheduler", "scheduler"],
    "evaluate.every": ["evalsteps", "evaliters", "evalinterval", "evalstrategy"],
    "checkpoint.every": ["savesteps", "saveinterval", "savestrategy"],
    "checkpoint.keep": ["savetotallimit"],
    "log.every": ["loggingsteps", "loginterval"],
    "run": ["outputdir"],
    "precision": ["bf16", "fp16", "dtype", "torchdtype"],
    "recompute": ["gradientcheckpointing"],
    "data.train": ["dataset", "datasetname", "trainfile", "traindata"],
    "data.validation": ["validationfile", "evaldataset", "valfile"],
    "model.from": ["modelnameorpath", "basemodel", "pretrained"],
    "model.context": ["maxseqlength", "seqlength", "seqlen", "blocksize", "maxlength", "nctx"],
    "model.width": ["hiddensize", "dmodel", "nembd", "dim"],
    "model.layers": ["numhiddenlayers", "numlayers", "nlayer", "nlayers"],
    "model.heads": ["numattentionheads", "numheads", "nhead", "nheads"],
    "model.kvHeads": ["numkeyvalueheads", "nkvheads"],
    "model.hidden": ["intermediatesize", "dff", "ffndim"],
    "lora.rank": ["r", "lorar"],
    "dpo.beta": ["beta"],
  ]

  /// The sections that the key `path` is in, the innermost first.
  static func sections(of path: String) -> [String] {
    let words = path.split(separator: ".", omittingEmptySubsequences: false)
    return (1..<words.count).reversed().map { words[..<$0].joined(separator: ".") }
  }

  /// The distance of `candidate` from `written`, or nil if it is too large for a suggestion.
  private static func cost(of candidate: String, for written: String) -> Double? {
    let whole = distance(plain(written), plain(candidate))
    let (word, other) = (plain(lastWord(written)), plain(lastWord(candidate)))
    let last = distance(word, other)
    var costs: [Double] = []
    // Up to a third of the letters may be wrong, and at least one.
    if whole <= max(1, plain(written).count / 3) { costs.append(Double(whole)) }
    if last <= max(1, word.count / 3), word.count > 2 { costs.append(Double(last) + 0.5) }
    // One word is a prefix of the other.
    if min(word.count, other.count) >= 3, word.starts(with: other) || other.starts(with: word) {
      costs.append(1.75)
    }
    return costs.min()
  }

  private static func lastWord(_ path: String) -> Substring {
    path[(path.lastIndex(of: ".").map(path.index(after:)) ?? path.startIndex)...]
  }

  private static func plain(_ text: some StringProtocol) -> [Character] {
    // Only the beginning of an overlong name is compared: the distance takes quadratic time.
    Array(text.prefix(80).lowercased()).filter { $0 != "_" && $0 != "-" }
  }

  /// The Damerau–Levenshtein distance (optimal string alignment): the number of insertions,
  /// deletions, substitutions and swaps of neighbours that turn `a` into `b`.
  static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var before: [Int] = []
    var previous = Array(0...b.count)
    for i in 0..<a.count {
      var current = [i + 1]
      for j in 0..<b.count {
        var cost = min(
          previous[j] + (a[i] == b[j] ? 0 : 1), previous[j + 1] + 1, current[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          cost = min(cost, before[j - 1] + 1)
        }
        current.append(cost)
      }
      (before, previous) = (previous, current)
    }
    return previous[b.count]
  }
}
