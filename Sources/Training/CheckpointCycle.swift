import Checkpoints
import DataParallel
import Faults
import Files
import MPI
import Synchronization
import Tensors

/// Saves checkpoints while training continues: writes the state of a step boundary in the
/// background, and publishes it when every rank has reported that its part is on the disk.
///
/// The files are written from the very buffers of weights and optimizer state, which do not change
/// while the next step computes its gradient: a save needs no memory. Before that step's update
/// `awaitCopies` waits until the files have all bytes; only the disk may be behind them.
///
/// Each rank writes its part of the optimizer's state; rank 0 also writes the model's files, and
/// publishes. The ranks' reports are part of the control words of the steps, so saving needs no
/// messages of its own. There is one pending save at a time.
///
/// A save that fails on any rank is abandoned on all of them, and what was published before stays.
/// A file system that hangs is such a failure: its thread is left behind, and the files that it may
/// still write are never published (`SaveWriter`).
///
/// The loss of a step evaluates the weights before it. A checkpoint is therefore published only
/// after a further step with a healthy loss, or when the caller asks to `finish`.
final class CheckpointCycle {
  /// The result of advancing a save.
  enum Progress {
    /// Nothing that is to be reported.
    case none
    /// On rank 0, the checkpoint of this step has just been published; the warning is about older
    /// ones that could not be removed.
    case published(step: Int, warning: String?)
    /// The save has failed: its files on every rank, or its publication, on rank 0 alone.
    case failed(SaveFailure)
  }

  private let store: CheckpointStore
  private let attempt: String
  private let world: Communicator
  private let files: ModelFiles
  private let retention: RetentionPolicy
  private let keepsBest: Bool
  private let writer: SaveWriter
  /// Called on rank 0's writing thread when everything is written, before the checkpoint is
  /// published.
  var beforePublishing: @Sendable () throws -> Void = {}
  /// Returns the step before which a rollback from a later step than that of a state cannot go.
  ///
  /// Nil when there is none. The newest checkpoint at or before it is kept, and the oldest after it.
  var oldestNeeded: @Sendable (TrainingState) -> Int? = { _ in nil }
  private var pending: PendingSave?
  /// The saves whose threads were left behind, and may still write to their drafts.
  private var left: [PendingSave] = []

  /// A checkpoint that is being written or published.
  private final class PendingSave: @unchecked Sendable {
    // Sendable: the writer fills in the records; they are read after the pool's wait.
    let state: TrainingState
    /// The folder; nil until it is created.
    var draft: CheckpointDraft?
    /// True to prune older checkpoints afterwards.
    let prunes: Bool
    /// The files with all their bytes; their last is this rank's optimizer file.
    var files: [WrittenFile] = []
    /// True when the files have all bytes of this rank's state, which may change then.
    var isCopied = false
    /// The records of the durable files.
    var records: [FileRecord] = []
    /// The record of this rank's optimizer file, once it is durable.
    var own: FileRecord?
    var isHealthy = false
    var isPublishing = false
    /// The error of this rank.
    var failure: (any Error)?
    /// The reason that older checkpoints could not be removed.
    var warning: String?
    /// True when the thread that writes it hangs, and what it has belongs to that thread alone.
    let isLeft = Atomic(false)
    /// True when that thread has returned after all.
    let hasReturned = Atomic(false)

    init(state: TrainingState, prunes: Bool) {
      self.state = state
      self.prunes = prunes
    }
  }

  init(
    store: CheckpointStore, attempt: String, world: Communicator, files: ModelFiles,
    retention: RetentionPolicy, keepsBest: Bool, limit: Double
  ) throws(WorkerPool.ThreadStartFailure) {
    self.store = store
    self.attempt = attempt
    self.world = world
    self.files = files
    self.retention = retention
    self.keepsBest = keepsBest
    writer = try SaveWriter(limit: limit, path: store.path)
  }

  /// True while a save is pending on this rank.
  var isBusy: Bool { pending != nil }

  /// Throws `StorageError.superseded` when another run has taken the folder over.
  func requireClaim() throws(StorageError) { try store.requireClaim(attempt: attempt) }

  /// Starts to write the state of the step just done, which must not change before `awaitCopies`
  /// has returned.
  ///
  /// Called on all ranks or none. Unless `prunes`, all older checkpoints stay.
  func begin(_ trainer: Trainer, prunes: Bool = true) throws {
    precondition(pending == nil, "two saves at a time")
    let pending = PendingSave(state: trainer.state, prunes: prunes)
    self.pending = pending
    // A draft whose thread was left must not be shared.
    left.removeAll { $0.hasReturned.load(ordering: .acquiring) }
    let other = left.first { $0.state.step == pending.state.step }
    if let reason = other?.failure { try fail(pending, reason) }
    guard pending.failure == nil else { return }
    let need = files.byteCount * (1 + trainer.plan.stateNames.count)
    start(.copying, pending) {
      [
        store, attempt, files, world, parameters = trainer.replicas.parameters,
        parts = trainer.optimizerState
      ] in
      if world.rank == 0 {
        try store.requireClaim(attempt: attempt, isMade: true)
        try store.requireSpace(bytes: need)
      }
      let draft = try store.draft(step: pending.state.step, attempt: attempt)
      pending.draft = draft
      try draft.reach(.snapshot)
      try draft.reach(.write)
      if world.rank == 0 {
        pending.files = try files.write(UnsafeBufferPointer(parameters.elements), to: draft)
        pending.files.append(try draft.file("state.json", containing: try pending.state.encoded()))
      }
      pending.files.append(
        try OptimizerFiles.write(parts, rank: world.rank, of: world.size, to: draft))
    }
  }

  /// Runs a part of the save on the writing thread.
  ///
  /// A thread that was left behind removes what it has written when it returns after all.
  private func start(
    _ part: SaveWriter.Part, _ pending: PendingSave, _ body: @escaping @Sendable () throws -> Void
  ) {
    writer.start(part) { [store, attempt, world] in
      defer {
        if pending.isLeft.load(ordering: .acquiring) {
          pending.files = []
          if world.rank == 0 { try? store.discardDraft(step: pending.state.step, attempt: attempt) }
          pending.hasReturned.store(true, ordering: .releasing)
        }
      }
      try body()
    }
  }

  /// Returns when weights and optimizer state of this rank may change: when the files of a pending
  /// save have all their bytes, which the writer then makes durable.
  func awaitCopies() throws {
    guard let pending, !pending.isCopied, pending.failure == nil else { return }
    try awaitWriter(pending)
    guard pending.failure == nil else { return }
    pending.isCopied = true
    start(.syncing, pending) { pending.records = try pending.files.map { try $0.close() } }
  }

  /// Adds this rank's progress to `word`.
  func report(in word: inout ControlWord) throws {
    guard let pending else { return }
    if !pending.isCopied && writer.isIdle { try awaitCopies() }
    if pending.isCopied && pending.own == nil && pending.failure == nil {
      if writer.isIdle {
        try awaitWriter(pending)
        pending.own = pending.records.last
      } else {
        try leaveIfHung(pending)
      }
    }
    word.saving = pending.failure == nil ? .writing : .failed
    guard let own = pending.own else { return }
    word.saving = .written
    word.size = own.size
    word.sha256 = own.sha256
  }

  /// Advances the pending save: rank 0 publishes once all ranks have written.
  ///
  /// - Parameters:
  ///   - words: The control words of all ranks.
  ///   - isHealthy: True when the loss of their step was healthy; the same on every rank.
  ///
  /// Collective when a rank reports a failure in its word.
  func advance(_ words: [ControlWord], isHealthy: Bool) throws -> Progress {
    guard let pending else { return .none }
    if words.contains(where: { $0.saving == .failed }) { return .failed(try abandon(pending)) }
    pending.isHealthy = pending.isHealthy || isHealthy
    guard pending.isHealthy else { return .none }
    if world.rank != 0 {
      // Done here as soon as rank 0 knows: it received the same words.
      if words.allSatisfy({ $0.saving == .written }) { self.pending = nil }
      return .none
    }
    if pending.isPublishing { return try finishPublishing(pending) }
    guard words.allSatisfy({ $0.saving == .written }) else { return .none }
    pending.isPublishing = true
    for (rank, word) in words.enumerated() where rank != 0 {
      pending.records.append(
        FileRecord(
          name: OptimizerFiles.name(rank: rank, of: world.size), size: word.size,
          sha256: word.sha256))
    }
    start(.syncing, pending) {
      [store, attempt, retention, keepsBest, beforePublishing, oldestNeeded] in
      try beforePublishing()
      try pending.draft?.reach(.publish)
      _ = try pending.draft?.publish(files: pending.records)
      guard pending.prunes else { return }
      let best = keepsBest ? pending.state.best?.step : nil
      do {
        var kept = Set([best].compactMap(\.self))
        if let oldest = oldestNeeded(pending.state) {
          // A later spike may not need the first any more, and needs the second.
          let steps = try store.publishedSteps()
          kept.formUnion(
            [steps.last { $0 <= oldest }, steps.first { $0 > oldest }].compactMap(\.self))
        }
        try store.prune(retention, protecting: kept, attempt: attempt)
      } catch let error as StorageError where !error.isSuperseded {
        pending.warning = "older checkpoints cannot be removed: \(error)"
      }
    }
    return .none
  }

  /// Returns the result of the publication, on rank 0, when it is known.
  private func finishPublishing(_ pending: PendingSave) throws -> Progress {
    if !writer.isIdle {
      try leaveIfHung(pending)
      if pending.failure == nil { return .none }
    } else {
      try awaitWriter(pending)
    }
    self.pending = nil
    guard let failure = pending.failure else {
      return .published(step: pending.state.step, warning: pending.warning)
    }
    discard(pending)
    return .failed(SaveFailure(step: pending.state.step, rank: 0, reason: "\(failure)"))
  }

  /// Ends a save that failed on some rank.
  ///
  /// Collective.
  private func abandon(_ pending: PendingSave) throws -> SaveFailure {
    self.pending = nil
    if pending.failure == nil { try awaitWriter(pending) }
    let reason = pending.failure.map { "\($0)" } ?? ""
    let reasons = try world.allGatherV(Array(reason.utf8)).map {
      String(decoding: $0, as: UTF8.self)
    }
    discard(pending)
    let rank = reasons.firstIndex { !$0.isEmpty } ?? 0
    return SaveFailure(step: pending.state.step, rank: rank, reason: reasons[rank])
  }

  /// Waits until the pending save is published or has failed.
  ///
  /// Collective.
  func finish() throws -> Progress {
    var progress = Progress.none
    while let pending {
      try awaitWriter(pending)
      if pending.isPublishing {
        progress = try finishPublishing(pending)
      } else {
        var word = ControlWord()
        try report(in: &word)
        progress = try advance(try word.exchanged(over: world), isHealthy: true)
      }
    }
    return progress
  }

  /// Returns when this rank's writing thread does nothing, so that a publication is over.
  func awaitWriter() throws {
    if let pending { try awaitWriter(pending) }
  }

  /// Ends the saving of a diverged run: finishes a save of healthy weights, and discards any other.
  ///
  /// Collective.
  ///
  /// - Returns: As `finish`.
  func finishOrDiscard() throws -> Progress {
    guard let pending, !pending.isHealthy else { return try finish() }
    self.pending = nil
    if pending.failure == nil { try? awaitWriter(pending) }
    try world.awaitAll()
    discard(pending)
    return .none
  }

  /// Removes the draft, on rank 0, so that a full disk does not stay full.
  ///
  /// On the writing thread, because the removal may hang as well, and is waited for no longer than a
  /// write. A thread that was left behind does it itself.
  private func discard(_ pending: PendingSave) {
    guard !pending.isLeft.load(ordering: .relaxed) else { return }
    // Open files keep a folder of NFS from being removed.
    pending.files = []
    guard world.rank == 0 else { return }
    writer.start(.copying) { [store, attempt] in
      try? store.discardDraft(step: pending.state.step, attempt: attempt)
    }
    try? writer.awaitIdle()
  }

  /// Waits for the writer, and records its failure.
  private func awaitWriter(_ pending: PendingSave) throws {
    try recordFailure(pending) { try writer.wait() }
  }

  /// Records the failure of a writer that hangs.
  private func leaveIfHung(_ pending: PendingSave) throws {
    try recordFailure(pending) { try writer.leaveIfHung() }
  }

  /// Runs `body`, and records its error as the failure of this rank's part.
  private func recordFailure(_ pending: PendingSave, of body: () throws -> Void) throws {
    do {
      try body()
    } catch {
      if case StorageError.hangs = error {
        pending.isLeft.store(true, ordering: .releasing)
        left.append(pending)
      }
      try fail(pending, error)
    }
  }

  /// Records a failure of this rank's part; throws it when another run has taken the folder over.
  private func fail(_ pending: PendingSave, _ error: any Error) throws {
    pending.failure = error
    if (error as? StorageError)?.isSuperseded == true { throw error }
  }
}

extension CheckpointDraft {
  /// Does the faults that tests inject into a save.
  fileprivate func reach(_ phase: InjectedFault.Phase) throws(StorageError) {
    guard let code = FaultSchedule.reach(phase, step: step) else { return }
    throw .call(operation: "write", path: path, code: code)
  }
}
