import DataParallel
import Datasets
import Files
import Glibc
import MPI
import Tokenizers
import Training

/// The sources of a corpus, and the folder of its token shards.
struct PretrainingCorpus {
  /// The prefix of its keys: `data` or `data.replay`.
  let key: String
  /// Files, folders and globs, or the folder of a built dataset.
  let train: [String]
  /// The fraction of the documents that is held out when no files are given.
  let validationFraction: Double
  /// Files, folders and globs to validate on; empty to hold out a fraction.
  let validation: [String]
  /// The field of JSON lines that holds the text.
  let textField: String
  /// The folder of the token shards.
  let folder: String

  /// The prefix of its parts in messages.
  var name: String { key == "data" ? "" : "replayed " }

  /// True when `train` is the folder of a built dataset.
  var isBuilt: Bool { train.count == 1 && access("\(train[0])/dataset.json", F_OK) == 0 }

  /// Returns the documents and their split.
  func plan() throws(DatasetError) -> DatasetPlan {
    try DatasetPlan(
      sources: .files(train),
      validation: validation.isEmpty ? .fraction(validationFraction) : .files(validation),
      textField: textField)
  }
}

/// The tokens of a run: a built dataset, or one that is made from text in the run folder.
enum PretrainingData {
  /// Opens the dataset of a corpus, which rank 0 builds first where it does not exist.
  ///
  /// Collective; when it throws, it throws on every rank, and existing files are unchanged.
  static func open(
    _ data: PretrainingCorpus, of phase: Pretraining, for run: RunContext
  ) throws -> Dataset {
    let (plan, world, note) = (phase.plan, run.world, run.note)
    let elsewhere = StartRefusal.folderNotShared(path: run.folder.path)
    let fingerprint = FNV1a(TokenizerFile.fingerprint(of: plan.tokenizer)).value
    // Rank 0 decides for all: a host that lacks the files must fail, not take another branch.
    let isBuilt = try world.broadcast(UInt8(data.isBuilt ? 1 : 0)) == 1
    try world.together {
      if isBuilt || world.rank != 0 { return }
      let sources = try data.plan()
      for path in sources.ignored { try note("\(path) is ignored: it is not .txt or .jsonl") }
      let existing = sources.existingDataset(
        in: data.folder, tokenizer: plan.tokenizer, fingerprint: fingerprint)
      if existing == nil {
        let built = try DatasetBuilder.build(
          sources, tokenizer: plan.tokenizer, fingerprint: fingerprint, into: data.folder,
          context: phase.window, threads: run.threads)
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
        // Rank 0 has just verified that the dataset is complete.
        if case .storage = error { throw error }
        throw elsewhere
      }
    }
    // Folders of the same name on different hosts can hold different datasets.
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
          "\(key) has no effect: the dataset in \(data.train[0]) was built with its own value; "
            + "pass the value to apus data build")
      }
    }
    return dataset
  }

  /// Keys that the configuration sets to another value than the dataset `built`, sorted.
  private static func idleKeys(
    _ data: PretrainingCorpus, _ written: Set<String>, beside built: DatasetDescription
  ) -> [String] {
    let hasItsFraction =
      data.validation.isEmpty && data.validationFraction == built.validationFraction
    var idle: [String] = []
    if data.textField != built.textField { idle.append("\(data.key).textField") }
    if !hasItsFraction { idle.append("\(data.key).validation") }
    return idle.filter(written.contains)
  }
}

extension PretrainingOptions {
  /// Returns the training corpus, with its token shards in `folder`.
  func corpus(in folder: String) -> PretrainingCorpus {
    PretrainingCorpus(
      key: "data", train: data.train, validationFraction: data.validationFraction,
      validation: data.validation, textField: data.textField, folder: folder)
  }

  /// Returns the replayed corpus; nil without one.
  func replayed(in folder: String) -> PretrainingCorpus? {
    data.replay.map {
      PretrainingCorpus(
        key: "data.replay", train: $0.train, validationFraction: $0.validationFraction,
        validation: $0.validation, textField: data.textField, folder: folder)
    }
  }
}

extension TokenShard {
  /// The number of tokens with their checksum.
  var identity: String {
    "\(summary.tokens) with checksum \(String(summary.checksum, radix: 16))"
  }
}
