import Files
import Glibc
import Tokenizers

/// Tokenizes documents into a dataset on disk.
package enum DatasetBuilder {
  /// Builds the dataset of `plan` in `folder`, which is created if necessary, and opens it.
  ///
  /// Every document, and each of the two parts of a document that is split, is followed by
  /// end-of-text. Documents are encoded whole on `threads` threads; the bytes written do not depend
  /// on the number of threads. `fingerprint` is the FNV-1a hash of the tokenizer's file. `progress`
  /// receives the number of documents and of bytes of text so far, every few megabytes, on the
  /// calling thread; `skipped` receives the lines and empty files that were left out, if there are any.
  ///
  /// With a `context`, throws `DatasetError.corpusTooShort` when the training text, whose use in the
  /// run is `use`, does not fill one window of `context` tokens. A dataset already in `folder` is
  /// replaced only after the new one is complete and durable; when the build fails, the folders that it
  /// created are removed.
  package static func build(
    _ plan: DatasetPlan, tokenizer: any Tokenizer, fingerprint: UInt64, into folder: String,
    context: Int? = nil, use: TextUse = .training, threads: Int = 1,
    progress: (_ documents: Int, _ textBytes: Int) -> Void = { _, _ in },
    skipped: (SkippedRecords) -> Void = { _ in }
  ) throws(DatasetError) -> Dataset {
    precondition(threads >= 1, "\(threads) threads")
    let made = try DatasetError.wrapping { () throws(StorageError) in
      try FileSystem.makeFolder(folder)
    }
    do throws(DatasetError) {
      try write(
        plan, tokenizer: tokenizer, fingerprint: fingerprint, into: folder, context: context,
        use: use, threads: threads, progress: progress, skipped: skipped)
      return try Dataset(opening: folder, expecting: fingerprint)
    } catch {
      // rmdir removes only empty folders.
      for folder in made.reversed() { rmdir(folder) }
      throw error
    }
  }

  /// Runs `body`, which may build a dataset in `folder`, while no other process does so.
  ///
  /// Creates the folder, and removes it again, if it is empty, when `body` fails. Without locks, as on
  /// some network file systems, processes do not wait for each other.
  ///
  /// - Parameter waits: Called when another process builds there, before the wait for it.
  package static func alone<R>(
    in folder: String, waits: () throws -> Void, _ body: () throws -> R
  ) throws -> R {
    let made = try DatasetError.wrapping { () throws(StorageError) in
      try FileSystem.makeFolder(folder)
    }
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if descriptor >= 0 { close(descriptor) } }
    do {
      if descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK {
        try waits()
        while flock(descriptor, LOCK_EX) != 0 && errno == EINTR {}
      }
      return try body()
    } catch {
      // rmdir removes only empty folders.
      for folder in made.reversed() { rmdir(folder) }
      throw error
    }
  }

  private static func write(
    _ plan: DatasetPlan, tokenizer: any Tokenizer, fingerprint: UInt64, into folder: String,
    context: Int?, use: TextUse, threads: Int,
    progress: (_ documents: Int, _ textBytes: Int) -> Void, skipped: (SkippedRecords) -> Void
  ) throws(DatasetError) {
    func writer(_ name: String) throws(DatasetError) -> TokenShardWriter {
      try TokenShardWriter(
        FilePaths.join(folder, name), vocabularySize: tokenizer.vocabularySize,
        endOfText: tokenizer.endOfText, fingerprint: fingerprint)
    }
    let train = try writer(Dataset.trainName)
    let validation = try writer(Dataset.validationName)
    let path = FilePaths.join(folder, Dataset.descriptionName)
    var pending = try DatasetError.wrapping { () throws(StorageError) in try PendingFile(path) }

    var encoder = DocumentEncoder(
      tokenizer: tokenizer, threads: threads, train: train, validation: validation)
    var description = plan.description(tokenizer: tokenizer, fingerprint: fingerprint)
    let leftOut = try feed(plan, to: &encoder, recording: &description, progress: progress)
    if leftOut != SkippedRecords() { skipped(leftOut) }
    try encoder.flush()
    try check(plan, train: train.summary, validation: validation.summary)
    if let context {
      try WindowOrder.requireWindow(
        tokenCount: train.summary.tokens, context: context, use: use)
    }

    try train.finish()
    try validation.finish()
    description.train = train.summary
    description.validation = validation.summary
    let bytes = try description.encoded()
    try DatasetError.wrapping { () throws(StorageError) in
      try pending.write(bytes)
      try pending.finish()
    }

    // A half-replaced folder has no description and so is not taken for a dataset.
    unlink(path)
    try train.publish()
    try validation.publish()
    try DatasetError.wrapping { () throws(StorageError) in
      try pending.publish()
      try FileSystem.sync(folder: folder)
    }
  }

  private static func feed(
    _ plan: DatasetPlan, to encoder: inout DocumentEncoder,
    recording description: inout DatasetDescription,
    progress: (_ documents: Int, _ textBytes: Int) -> Void
  ) throws(DatasetError) -> SkippedRecords {
    var skipped = SkippedRecords()
    var documents = 0
    var textBytes = 0
    func add(
      _ document: Document, to source: inout DatasetDescription.Source, trainingBytes: Int
    ) throws(DatasetError) {
      guard !document.bytes.isEmpty else {
        source.emptyDocuments += 1
        return
      }
      source.documents += 1
      source.textBytes += document.bytes.count
      documents += 1
      textBytes += document.bytes.count
      if try encoder.add(document.bytes, trainingBytes: trainingBytes) {
        progress(documents, textBytes)
      }
    }
    func trainingBytes(_ document: Document) -> Int {
      guard case .split(let split) = plan.validation else { return document.bytes.count }
      return split.trainingByteCount(of: document.bytes)
    }

    func add(
      _ files: [SourceFile], to sources: inout [DatasetDescription.Source],
      trainingBytes: (Document) -> Int
    ) throws(DatasetError) {
      var stream = DocumentStream(files, textField: plan.textField, skipsBad: plan.skipsBad)
      var source = 0
      while let document = try stream.next() {
        while files[source].path != document.source { source += 1 }
        try add(document, to: &sources[source], trainingBytes: trainingBytes(document))
      }
      skipped.note(stream.skipped)
    }
    switch plan.training {
    case .files(let files):
      try add(files, to: &description.sources, trainingBytes: trainingBytes)
    case .generated(_, let count, let make):
      for index in 0..<count {
        guard let document = make(index) else { break }
        try add(document, to: &description.sources[0], trainingBytes: trainingBytes(document))
      }
    }
    if case .files(let files) = plan.validation {
      try add(files, to: &description.validationSources) { _ in 0 }
    }
    return skipped
  }

  private static func check(
    _ plan: DatasetPlan, train: TokenShard.Summary, validation: TokenShard.Summary
  ) throws(DatasetError) {
    guard train.documents > 0 else { throw .noTrainingText }
    guard validation.documents == 0 else { return }
    switch plan.validation {
    case .split(let split) where split.fraction > 0:
      throw .noValidationText(documents: train.documents, fraction: split.fraction)
    case .split: return
    case .files: throw .nothingToEvaluate
    }
  }
}
