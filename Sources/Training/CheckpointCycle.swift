import Checkpoints
import DataParallel
import Glibc
import MPI
import Tensors

/// Saving beside the training: snapshot at a step boundary, writing in the background, publishing
/// when every rank has told that its part is on the disk.
///
/// Each rank writes its part of the optimizer's state; rank 0 also writes the model's files, and
/// publishes. What the ranks tell each other rides with the steps' control words, so there is no
/// message of its own. One save is in flight at a time.
///
/// The loss of a step judges the weights before it. What is saved after a step is therefore
/// published only after a further one whose loss was sound, or when the caller asks to `finish`.
final class CheckpointCycle {
  private let store: CheckpointStore
  private let attempt: String
  private let world: Communicator
  private let files: ModelFiles
  private let retention: RetentionPolicy
  private let keepsBest: Bool
  private let writer: WorkerPool
  /// Called on rank 0's writing thread when all is written, before it is published.
  var beforePublishing: @Sendable () throws -> Void = {}
  private var flight: Flight?
  /// What the last save was written from, for the next one: pages that are in memory already make
  /// the copy, which the training waits for, more than twice as fast.
  private var snapshot: Snapshot?

  /// A copy of what this rank saves.
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

  /// A save under way.
  private final class Flight: @unchecked Sendable {
    // Sendable: the writer fills in the records; they are read after the pool's wait.
    let state: TrainingState
    let draft: CheckpointDraft
    let snapshot: Snapshot
    /// Whether retention may follow.
    let prunes: Bool
    var records: [FileRecord] = []
    /// The record of this rank's optimizer file, last of its records, once it is written.
    var own: FileRecord? { records.last }
    var isWritten = false
    var isSound = false
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
  ) throws(WorkerPool.NoThread) {
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

  /// Whether a save is under way on this rank.
  var isBusy: Bool { flight != nil }

  /// Copies the state of the step just done and starts to write it.
  ///
  /// Called on all ranks or none. Older checkpoints stay, whatever the retention says, unless
  /// `prunes`.
  func begin(_ trainer: Trainer, prunes: Bool = true) throws {
    precondition(flight == nil, "two saves at a time")
    let optimizer = trainer.optimizer
    if world.rank == 0 {
      let bytes = files.byteCount * (1 + optimizer.state.count)
      try store.requireSpace(bytes: bytes)
    }
    let draft = try store.draft(step: trainer.state.step, attempt: attempt)
    // Nobody reads the last one any more: there is no save in flight.
    let snapshot = snapshot ?? Snapshot(sizedLike: trainer, withParameters: world.rank == 0)
    self.snapshot = snapshot
    snapshot.take(trainer)
    let flight = Flight(
      state: trainer.state, draft: draft, snapshot: snapshot, prunes: prunes)
    self.flight = flight
    writer.start { [files, world, ranges = optimizer.ranges] _ in
      if let parameters = flight.snapshot.parameters {
        flight.records = try files.write(UnsafeBufferPointer(parameters.elements), to: flight.draft)
        var file = try flight.draft.file("state.json")
        try file.write(try flight.state.encoded())
        flight.records.append(try file.close())
      }
      flight.records.append(
        try OptimizerFiles.write(
          ranges: ranges,
          state: flight.snapshot.optimizer.map {
            ($0.name, UnsafeBufferPointer($0.values.elements))
          },
          rank: world.rank, of: world.size, to: flight.draft))
    }
  }

  /// Adds to `word` how far this rank is; throws what the writer ran into.
  func report(in word: inout ControlWord) throws {
    guard let flight else { return }
    word.saving = .writing
    guard flight.isWritten || writer.isIdle else { return }
    if !flight.isWritten {
      try awaitWriter(flight)
      flight.isWritten = true
    }
    guard let own = flight.own else { return }
    word.saving = .written
    word.size = own.size
    word.sha256 = own.sha256
  }

  /// Takes in what all ranks told, and moves on: rank 0 publishes when everybody has written.
  ///
  /// - Parameters:
  ///   - words: What every rank told.
  ///   - isSound: Whether the loss of the step that brought them was; the same on every rank.
  /// - Returns: The step whose checkpoint is now safe, when there is news.
  func absorb(_ words: [ControlWord], isSound: Bool) throws -> Int? {
    guard let flight else { return nil }
    flight.isSound = flight.isSound || isSound
    guard flight.isSound else { return nil }
    if world.rank != 0 {
      // Done here as soon as rank 0 knows: it counted this word with the others.
      if words.allSatisfy({ $0.saving == .written }) { self.flight = nil }
      return nil
    }
    if flight.isPublishing {
      guard writer.isIdle else { return nil }
      try awaitWriter(flight)
      self.flight = nil
      return flight.state.step
    }
    guard words.allSatisfy({ $0.saving == .written }) else { return nil }
    flight.isPublishing = true
    for (rank, word) in words.enumerated() where rank != 0 {
      flight.records.append(
        FileRecord(
          name: OptimizerFiles.name(rank: rank, of: world.size), size: word.size,
          sha256: word.sha256))
    }
    writer.start { [store, attempt, retention, keepsBest, beforePublishing] _ in
      try beforePublishing()
      _ = try flight.draft.publish(files: flight.records)
      guard flight.prunes else { return }
      let best = keepsBest ? flight.state.best?.step : nil
      try store.prune(retention, protecting: best.map { [$0] } ?? [], attempt: attempt)
    }
    return nil
  }

  /// Waits until the save under way is safe.
  ///
  /// Collective.
  ///
  /// - Returns: Its step on rank 0, nil elsewhere or when there was none.
  func finish() throws -> Int? {
    var saved: Int?
    while let flight {
      while !writer.isIdle { usleep(2000) }
      if flight.isPublishing {
        saved = try absorb([], isSound: true) ?? saved
      } else {
        var word = ControlWord()
        try report(in: &word)
        saved = try absorb(try word.exchanged(over: world), isSound: true) ?? saved
      }
    }
    return saved
  }

  /// Ends a run that diverged: a save of weights that were sound is finished, any other dropped.
  ///
  /// Collective.
  ///
  /// - Returns: As `finish`.
  func settle() throws -> Int? {
    guard let flight, !flight.isSound else { return try finish() }
    self.flight = nil
    try? writer.wait()
    try world.awaitAll()
    if world.rank == 0 { try? flight.draft.discard() }
    return nil
  }

  /// Waits for the writer; if it failed, its draft goes, so that a full disk is not kept full.
  private func awaitWriter(_ flight: Flight) throws {
    do {
      try writer.wait()
    } catch {
      try? flight.draft.discard()
      throw error
    }
  }
}
