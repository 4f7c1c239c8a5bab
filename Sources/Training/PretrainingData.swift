import Aviary
import DataParallel
import Datasets
import Glibc
import MPI
import Tokenizers

/// Where the tokens of a corpus come from, and where they are kept.
struct PretrainingCorpus {
  /// What precedes its keys, `data` or `data.replay`.
  let key: String
  /// Files, folders and globs, or the folder of a built dataset.
  let train: [String]
  /// A share of the documents, when no files are given.
  let validationShare: Double
  /// Files, folders and globs to validate on; empty for a share.
  let validation: [String]
  /// Field of JSON lines.
  let textField: String
  /// Documents that are written, not read; nil for those of `train`.
  let written: DocumentSource?
  /// Where tokens of texts are kept.
  let folder: String

  /// What precedes its parts where people read of them.
  var name: String { key == "data" ? "" : "replayed " }

  /// Whether it is a dataset that was built before.
  var isBuilt: Bool { train.count == 1 && access("\(train[0])/dataset.json", F_OK) == 0 }

  /// The files that its texts are in.
  func plan() throws(DatasetError) -> DatasetPlan {
    try DatasetPlan(
      sources: written ?? .files(train),
      validation: validation.isEmpty ? .fraction(validationShare) : .files(validation),
      textField: textField)
  }
}

/// The tokens of a run: found where a dataset was built, or made from text in the run folder.
enum PretrainingData {
  /// Opens the dataset of a corpus, which rank 0 builds first if need be.
  ///
  /// Collective; when it throws, it throws on every rank, and what was there before is untouched.
  static func open(
    _ data: PretrainingCorpus, of phase: Pretraining, at site: PhaseSite
  ) throws -> Dataset {
    let (plan, world, note) = (phase.plan, site.world, site.note)
    let elsewhere = StartRefusal.folderNotShared(path: site.folder.path)
    let fingerprint = FNV1a(TokenizerFile.fingerprint(of: plan.tokenizer)).value
    // What rank 0 sees decides for all: a host that lacks the files must fail, not go another way.
    let isBuilt = try world.broadcast(UInt8(data.isBuilt ? 1 : 0)) == 1
    try world.together {
      if isBuilt || world.rank != 0 { return }
      let sources = try data.plan()
      for path in sources.ignored { try note("\(path) is left out: not .txt or .jsonl") }
      let existing = sources.existingDataset(
        in: data.folder, tokenizer: plan.tokenizer, fingerprint: fingerprint)
      if existing == nil {
        let built = try DatasetBuilder.build(
          sources, tokenizer: plan.tokenizer, fingerprint: fingerprint, into: data.folder,
          context: phase.window, threads: site.threads)
        try note(
          "\(built.description.train.tokens) training and \(built.description.validation.tokens) "
            + "validation tokens are in \(data.folder)")
      }
    }
    let dataset = try world.together {
      do {
        let dataset = try Dataset(
          opening: isBuilt ? data.train[0] : data.folder, expecting: fingerprint)
        try WindowOrder.requireWindow(
          tokenCount: dataset.train.tokens.count, context: phase.window)
        return dataset
      } catch let error as DatasetError where !isBuilt && world.rank != 0 {
        // Rank 0 has just seen to it that it is there and whole.
        throw error.isStorageFailure ? error : elsewhere
      }
    }
    // Folders of one name on different hosts can hold different datasets.
    do {
      try StartContract([
        ("\(data.name)training tokens", dataset.train.identity),
        ("\(data.name)validation tokens", dataset.validation.identity),
      ]).agree(over: world)
    } catch let mismatch as StartContract.Mismatch where !isBuilt {
      throw RankFailure(
        rank: mismatch.rank, error: mismatch.rank == world.rank ? elsewhere : nil)
    }
    if world.rank == 0 && isBuilt {
      for key in idleKeys(data, phase.writtenDataKeys, beside: dataset.description) {
        try note(
          "\(key) has no effect: the dataset in \(data.train[0]) was built before, with its own; "
            + "give it to apus data build")
      }
    }
    return dataset
  }

  /// Keys that the user wrote and that a dataset `built` before says otherwise, sorted.
  private static func idleKeys(
    _ data: PretrainingCorpus, _ written: Set<String>, beside built: DatasetDescription
  ) -> [String] {
    let hasItsShare = data.validation.isEmpty && data.validationShare == built.validationFraction
    var idle: [String] = []
    if data.textField != built.textField { idle.append("\(data.key).textField") }
    if !hasItsShare { idle.append("\(data.key).validation") }
    return idle.filter(written.contains)
  }
}

extension PretrainingOptions {
  /// The corpus that is learned; its tokens are kept in `folder`.
  func corpus(in folder: String) -> PretrainingCorpus {
    PretrainingCorpus(
      key: "data", train: data.train, validationShare: data.validationShare,
      validation: data.validation, textField: data.textField, written: aviary, folder: folder)
  }

  /// The corpus that is replayed, if one is named.
  func replayed(in folder: String) -> PretrainingCorpus? {
    data.replay.map {
      PretrainingCorpus(
        key: "data.replay", train: $0.train, validationShare: $0.validationShare,
        validation: $0.validation, textField: data.textField, written: nil, folder: folder)
    }
  }

  /// The stories that the run trains on; nil where it names no world.
  private var aviary: DocumentSource? {
    let (sources, seed) = (data.train, training.seed)
    return Aviary(sources: sources, seed: UInt64(seed)).map { world in
      .generated(
        name: "\(sources[0]), seed \(seed)", count: data.stories,
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
