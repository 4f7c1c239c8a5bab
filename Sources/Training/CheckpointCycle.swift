import Checkpoints
import DataParallel
import Files
import Glibc
import MPI
import Tensors

/// Saves checkpoints while training continues: takes a snapshot at a step boundary, writes it in
/// the background, and publishes it when every rank has reported that its part is on the disk.
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
  /// The buffers of the last save, reused for the next one: with pages that are already in memory
  /// the copy, which blocks training, is more than twice as fast.
  private var snapshot: Snapshot?

  /// A copy of the state that this rank saves.
  private struct Snapshot: Sendable {
    /// The weights, on the rank that writes them.
    let parameters: FlatBuffer?
    /// The optimizer's state by name.
    let optimizer: [(name: String, values: FlatBuffer)]

    init(sizedLike trainer: Trainer, withParameters: Bool) {
      let rule = trainer.optimizer.rule
      parameters = withParameters ? FlatBuffer(count: trainer.replicas.layout.count) : nil
      optimizer = zip(rule.stateNames, trainer.optimizer.state).map {
        ($0, FlatBuffer(count: $1.elements.count))
      }
    }

    func take(_ trainer: Trainer) {
      _ = parameters?.elements.update(fromContentsOf: trainer.replicas.parameters.elements)
      for ((_, copy), original) in zip(optimizer, trainer.optimizer.state) {
        _ = copy.elements.update(fromContentsOf: original.elements)
      }
    }
  }

  /// A checkpoint that is being written or published.
  private final class PendingSave: @unchecked Sendable {
    // Sendable: the writer fills in the records; they are read after the pool's wait.
    let state: TrainingState
    let draft: CheckpointDraft
    let snapshot: Snapshot
    /// True to prune older checkpoints afterwards.
    let prunes: Bool
    var records: [FileRecord] = []
    /// The record of this rank's optimizer file, its last record, once it is written.
    var own: FileRecord? { records.last }
    var isWritten = false
    var isHealthy = false
    var isPublishing = false

    init(
      state: TrainingState, draft: CheckpointDraft, snapshot: Snapshot, prunes: Bool
    ) {
      self.state = state
      self.draft = draft
      self.snapshot = snapshot
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

  /// Copies the state of the step just done and starts to write it.
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
    // The last snapshot is free: no save is pending.
    let snapshot = snapshot ?? Snapshot(sizedLike: trainer, withParameters: world.rank == 0)
    self.snapshot = snapshot
    snapshot.take(trainer)
    let pending = PendingSave(
      state: trainer.state, draft: draft, snapshot: snapshot, prunes: prunes)
    self.pending = pending
    writer.start { [files, world, ranges = optimizer.ranges] _ in
      if let parameters = pending.snapshot.parameters {
        pending.records = try files.write(
          UnsafeBufferPointer(parameters.elements), to: pending.draft)
        var file = try pending.draft.file("state.json")
        try file.write(try pending.state.encoded())
        pending.records.append(try file.close())
      }
      pending.records.append(
        try OptimizerFiles.write(
          ranges: ranges,
          state: pending.snapshot.optimizer.map {
            ($0.name, UnsafeBufferPointer($0.values.elements))
          },
          rank: world.rank, of: world.size, to: pending.draft))
    }
  }

  /// Adds this rank's progress to `word`; throws the writer's error, if any.
  func report(in word: inout ControlWord) throws {
    guard let pending else { return }
    word.saving = .writing
    guard pending.isWritten || writer.isIdle else { return }
    if !pending.isWritten {
      try awaitWriter(pending)
      pending.isWritten = true
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
