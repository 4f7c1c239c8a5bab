import DataParallel
import Datasets
import Files
import Glibc
import MPI
import Tokenizers
import Training

/// The sources of a corpus.
package struct PretrainingCorpus: Sendable {
  /// The prefix of its keys: `data` or `data.replay`.
  let key: String
  /// Files, folders and globs, or the folder of a built dataset.
  package let train: [String]
  /// The fraction of the documents that is held out, or files, folders and globs to validate on.
  let validation: ValidationSource
  /// The field of JSON lines that holds the text.
  let textField: String

  /// The prefix of its parts in messages.
  var name: String { key == "data" ? "" : "replayed " }

  /// The use of its training text.
  private var use: TextUse { key == "data" ? .training : .replayed }

  /// True when `train` is the folder of a built dataset.
  var isBuilt: Bool { train.count == 1 && access("\(train[0])/dataset.json", F_OK) == 0 }

  /// Returns the documents and their split.
  func plan() throws(DatasetError) -> DatasetPlan {
    try DatasetPlan(sources: .files(train), validation: validation, textField: textField)
  }
}

extension PretrainingCorpus {
  /// Opens the dataset of the corpus: a built one, or one in `folder`, which rank 0 makes from the
  /// text first where it does not exist.
  ///
  /// The first rank of every host checks the contents of the shards, which the others then have in
  /// memory. A damaged dataset in `folder` is built again.
  ///
  /// Collective; when it throws, it throws on every rank, and existing files are unchanged.
  func dataset(in folder: String, of phase: Pretraining, for run: RunContext) throws -> Dataset {
    let (plan, world, note) = (phase.plan, run.world, run.note)
    let elsewhere = StartRefusal.folderNotShared(path: run.folder.path)
    let fingerprint = Dataset.fingerprint(of: plan.tokenizer)
    // Rank 0 decides for all: a host that lacks the files must fail, not take another branch.
    let isBuilt = try world.broadcast(UInt8(self.isBuilt ? 1 : 0)) == 1
    try world.together {
      if isBuilt || world.rank != 0 { return }
      let sources = try self.plan()
      for path in sources.ignored { try note("\(path) is ignored: it is not .txt or .jsonl") }
      // Runs that start in the same folder at once build the dataset once.
      let waits = { try note("another run builds the dataset in \(folder); this one waits for it") }
      try DatasetBuilder.alone(in: folder, waits: waits) {
        var existing = sources.existingDataset(
          in: folder, tokenizer: plan.tokenizer, fingerprint: fingerprint)
        do {
          try existing?.verify()
        } catch {
          try note("the dataset is built again from its text, because \(error)")
          existing = nil
        }
        if existing == nil {
          var leftOut: String?
          let built = try DatasetBuilder.build(
            sources, tokenizer: plan.tokenizer, fingerprint: fingerprint, into: folder,
            context: phase.window, use: use, threads: run.threads,
            skipped: { leftOut = $0.emptyFilesNote })
          if let leftOut { try note(leftOut) }
          try note(
            "\(built.description.train.tokens) training and \(built.description.validation.tokens) "
              + "validation tokens are in \(folder)")
        }
      }
    }
    let dataset = try world.together {
      do {
        let dataset = try Dataset(
          opening: isBuilt ? train[0] : folder, expecting: fingerprint)
        try WindowOrder.requireWindow(
          tokenCount: dataset.train.tokens.count, context: phase.window, use: use)
        return dataset
      } catch let error as DatasetError where !isBuilt && world.rank != 0 {
        // Rank 0 has just verified that the dataset is complete.
        if case .storage = error { throw error }
        throw elsewhere
      }
    }
    let isFirstOfHost = try world.splitByHost().rank == 0
    // Rank 0 has just verified or written a dataset that is not built before.
    try world.together { if isFirstOfHost && (isBuilt || world.rank != 0) { try dataset.verify() } }
    // Folders of the same name on different hosts can hold different datasets.
    do {
      try StartContract([
        ("\(name)training tokens", dataset.train.identity),
        ("\(name)validation tokens", dataset.validation.identity),
      ]).agree(over: world)
    } catch let mismatch as StartContract.Mismatch where !isBuilt {
      throw RankFailure(
        rank: mismatch.rank, error: mismatch.rank == world.rank ? elsewhere : nil)
    }
    if world.rank == 0 && isBuilt {
      for key in idleKeys(phase.writtenDataKeys, beside: dataset.description) {
        try note(
          "\(key) has no effect: the dataset in \(train[0]) was built with its own value; "
            + "pass the value to apus data build")
      }
    }
    return dataset
  }

  /// Keys that the configuration sets to another value than the dataset `built`, sorted.
  private func idleKeys(_ written: Set<String>, beside built: DatasetDescription) -> [String] {
    var idle: [String] = []
    if textField != built.textField { idle.append("\(key).textField") }
    if validation != built.validationFraction.map({ .fraction($0) }) {
      idle.append("\(key).validation")
    }
    return idle.filter(written.contains)
  }
}

extension TokenShard {
  /// The number of tokens with their checksum.
  var identity: String {
    "\(summary.tokens) with checksum \(String(summary.checksum, radix: 16))"
  }
}
