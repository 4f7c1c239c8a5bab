import Aviary
import DataParallel
import Datasets
import Glibc
import MPI
import Tokenizers

/// The tokens of a run: found where a dataset was built, or made from text in the run folder.
enum PretrainingData {
  /// Opens the run's dataset, which rank 0 builds first if need be.
  ///
  /// Collective; when it throws, it throws on every rank, and what was there before is untouched.
  static func open(
    _ phase: Pretraining, at site: PhaseSite
  ) throws -> Dataset {
    let (plan, folder, world, note) = (phase.plan, site.folder, site.world, site.note)
    let fingerprint = FNV1a(TokenizerFile.fingerprint(of: plan.tokenizer)).value
    let data = phase.options.data
    // What rank 0 sees decides for all: a host that lacks the files must fail, not go another way.
    let sees = data.train.count == 1 && access("\(data.train[0])/dataset.json", F_OK) == 0
    let isBuilt = try world.broadcast(UInt8(sees ? 1 : 0)) == 1
    try world.together {
      if isBuilt || world.rank != 0 { return }
      let sources = try DatasetPlan(
        sources: aviary(phase.options) ?? .files(data.train),
        validation: data.validation.isEmpty
          ? .fraction(data.validationShare) : .files(data.validation),
        textField: data.textField)
      for path in sources.ignored { try note("\(path) is left out: not .txt or .jsonl") }
      let existing = sources.existingDataset(
        in: folder.data, tokenizer: plan.tokenizer, fingerprint: fingerprint)
      if existing == nil {
        let built = try DatasetBuilder.build(
          sources, tokenizer: plan.tokenizer, fingerprint: fingerprint, into: folder.data,
          context: phase.window, threads: site.threads)
        try note(
          "\(built.description.train.tokens) training and \(built.description.validation.tokens) "
            + "validation tokens are in \(folder.data)")
      }
    }
    let dataset = try world.together {
      do {
        let dataset = try Dataset(
          opening: isBuilt ? data.train[0] : folder.data, expecting: fingerprint)
        try WindowOrder.requireWindow(
          tokenCount: dataset.train.tokens.count, context: phase.window)
        return dataset
      } catch let error as DatasetError where !isBuilt && world.rank != 0 {
        // Rank 0 has just seen to it that it is there and whole.
        throw error.isStorageFailure ? error : StartRefusal.folderNotShared(path: folder.path)
      }
    }
    // Folders of one name on different hosts can hold different datasets.
    do {
      try StartContract([
        ("training tokens", dataset.train.identity),
        ("validation tokens", dataset.validation.identity),
      ]).agree(over: world)
    } catch let mismatch as StartContract.Mismatch where !isBuilt {
      throw RankFailure(
        rank: mismatch.rank,
        error: mismatch.rank == world.rank ? StartRefusal.folderNotShared(path: folder.path) : nil)
    }
    if world.rank == 0 && isBuilt {
      for key in idleKeys(of: phase, beside: dataset.description) {
        try note(
          "\(key) has no effect: the dataset in \(data.train[0]) was built before, with its own; "
            + "give it to apus data build")
      }
    }
    return dataset
  }

  /// Keys that the user wrote and that a dataset `built` before says otherwise, sorted.
  private static func idleKeys(of phase: Pretraining, beside built: DatasetDescription) -> [String]
  {
    let data = phase.options.data
    let hasItsShare = data.validation.isEmpty && data.validationShare == built.validationFraction
    var idle = phase.writtenDataKeys
    if hasItsShare { idle.remove("data.validation") }
    if data.textField == built.textField { idle.remove("data.textField") }
    return idle.sorted()
  }

  /// The stories that the run trains on; nil where it names no world.
  private static func aviary(_ options: PretrainingOptions) -> DocumentSource? {
    let (sources, seed) = (options.data.train, options.training.seed)
    return Aviary(sources: sources, seed: UInt64(seed)).map { world in
      .generated(
        name: "\(sources[0]), seed \(seed)", count: options.data.stories,
        document: { index in
          Document(text: world.text(at: index), source: sources[0], index: index)
        })
    }
  }
}

extension TokenShard {
  /// Tells its tokens from any others.
  var identity: String {
    "\(summary.tokens) with checksum \(String(summary.checksum, radix: 16))"
  }
}
