import Checkpoints
import DataParallel
import Faults
import Files
import Glibc
import MPI
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
/// The loss of a step evaluates the weights before it. A checkpoint is therefore published only
/// after a further step with a healthy loss, or when the caller asks to `finish`.
final class CheckpointCycle {
  private let store: CheckpointStore
  private let attempt: String
  private let world: Communicator
  private let files: ModelFiles
  private let retention: RetentionPolicy
  private let keepsBest: Bool
  private let writer: WorkerPool
  /// Called on rank 0's writing thread when everything is written, before the checkpoint is
  /// published.
  var beforePublishing: @Sendable () throws -> Void = {}
  private var pending: PendingSave?

  /// A checkpoint that is being written or published.
  private final class PendingSave: @unchecked Sendable {
    // Sendable: the writer fills in the records; they are read after the pool's wait.
    let state: TrainingState
    let draft: CheckpointDraft
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

    init(state: TrainingState, draft: CheckpointDraft, prunes: Bool) {
      self.state = state
      self.draft = draft
      self.prunes = prunes
    }
  }

  init(
    store: CheckpointStore, attempt: String, world: Communicator, files: ModelFiles,
    retention: RetentionPolicy, keepsBest: Bool
  ) throws(WorkerPool.ThreadStartFailure) {
    self.store = store
    self.attempt = attempt
    self.world = world
    self.files = files
    self.retention = retention
    self.keepsBest = keepsBest
    writer = try WorkerPool(count: 1)
  }

  deinit {
    writer.stop()
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
    let optimizer = trainer.optimizer
    if world.rank == 0 {
      let bytes = files.byteCount * (1 + optimizer.state.count)
      try store.requireSpace(bytes: bytes)
    }
    let draft = try store.draft(step: trainer.state.step, attempt: attempt)
    try draft.reach(.snapshot)
    let pending = PendingSave(state: trainer.state, draft: draft, prunes: prunes)
    self.pending = pending
    writer.start { [files, world, parameters = trainer.replicas.parameters] _ in
      try draft.reach(.write)
      if world.rank == 0 {
        pending.files = try files.write(
          UnsafeBufferPointer(parameters.elements), to: pending.draft)
        pending.files.append(
          try pending.draft.file("state.json", containing: try pending.state.encoded()))
      }
      pending.files.append(
        try OptimizerFiles.write(
          ranges: optimizer.ranges,
          state: zip(optimizer.rule.stateNames, optimizer.state).map {
            ($0, UnsafeBufferPointer($1.elements))
          },
          rank: world.rank, of: world.size, to: pending.draft))
    }
  }

  /// Returns when weights and optimizer state of this rank may change: when the files of a pending
  /// save have all their bytes, which the writer then makes durable.
  func awaitCopies() throws {
    guard let pending, !pending.isCopied else { return }
    try awaitWriter(pending)
    pending.isCopied = true
    writer.start { _ in
      pending.records = try pending.files.map { try $0.close() }
    }
  }

  /// Adds this rank's progress to `word`; throws the writer's error, if any.
  func report(in word: inout ControlWord) throws {
    guard let pending else { return }
    word.saving = .writing
    if !pending.isCopied && writer.isIdle { try awaitCopies() }
    if pending.isCopied && pending.own == nil && writer.isIdle {
      try awaitWriter(pending)
      pending.own = pending.records.last
    }
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
  /// - Returns: On rank 0, the step of a checkpoint that has just been published; nil otherwise.
  func advance(_ words: [ControlWord], isHealthy: Bool) throws -> Int? {
    guard let pending else { return nil }
    pending.isHealthy = pending.isHealthy || isHealthy
    guard pending.isHealthy else { return nil }
    if world.rank != 0 {
      // Done here as soon as rank 0 knows: it received the same words.
      if words.allSatisfy({ $0.saving == .written }) { self.pending = nil }
      return nil
    }
    if pending.isPublishing {
      guard writer.isIdle else { return nil }
      try awaitWriter(pending)
      self.pending = nil
      return pending.state.step
    }
    guard words.allSatisfy({ $0.saving == .written }) else { return nil }
    pending.isPublishing = true
    for (rank, word) in words.enumerated() where rank != 0 {
      pending.records.append(
        FileRecord(
          name: OptimizerFiles.name(rank: rank, of: world.size), size: word.size,
          sha256: word.sha256))
    }
    writer.start { [store, attempt, retention, keepsBest, beforePublishing] _ in
      try beforePublishing()
      try pending.draft.reach(.publish)
      _ = try pending.draft.publish(files: pending.records)
      guard pending.prunes else { return }
      let best = keepsBest ? pending.state.best?.step : nil
      try store.prune(retention, protecting: best.map { [$0] } ?? [], attempt: attempt)
    }
    return nil
  }

  /// Waits until the pending save is published.
  ///
  /// Collective.
  ///
  /// - Returns: Its step on rank 0; nil on other ranks or when no save was pending.
  func finish() throws -> Int? {
    var saved: Int?
    while let pending {
      while !writer.isIdle { usleep(2000) }
      if pending.isPublishing {
        saved = try advance([], isHealthy: true) ?? saved
      } else {
        var word = ControlWord()
        try report(in: &word)
        saved = try advance(try word.exchanged(over: world), isHealthy: true) ?? saved
      }
    }
    return saved
  }

  /// Ends the saving of a diverged run: finishes a save of healthy weights, and discards any other.
  ///
  /// Collective.
  ///
  /// - Returns: As `finish`.
  func finishOrDiscard() throws -> Int? {
    guard let pending, !pending.isHealthy else { return try finish() }
    self.pending = nil
    try? writer.wait()
    try world.awaitAll()
    if world.rank == 0 { try? pending.draft.discard() }
    return nil
  }

  /// Waits for the writer; discards the draft if it failed, so that a full disk does not stay full.
  private func awaitWriter(_ pending: PendingSave) throws {
    do {
      try writer.wait()
    } catch {
      try? pending.draft.discard()
      throw error
    }
  }
}

extension CheckpointDraft {
  /// Does the faults that tests inject into a save.
  fileprivate func reach(_ phase: InjectedFault.Phase) throws(StorageError) {
    guard let code = FaultSchedule.reach(phase, step: step) else { return }
    throw .call(operation: "write", path: path, code: code)
  }
}
