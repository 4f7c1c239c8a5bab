import Checkpoints
import Configuration
import Datasets
import Foundation
import MPI
import Monitoring
import Objectives
import Synchronization
import Tensors
import TestWorld
import Testing
import Tokenizers

@testable import Phases
@testable import Training

/// A ledger of the samples that a run computes: every sample of an epoch exactly once, in one order,
/// while the number of ranks changes in the middle of epochs.
///
/// Samples are entered by the tokens that a replica has computed, not by the index that a loader was
/// asked for. On one rank of the tests, all parts of the run have one rank.
@Suite(.serialized, .worldInTurn) struct SampleLedgerTests {
  let world: Communicator
  let folder: SharedFolder

  /// Words of eight bytes with a number, so that any 16 bytes have one place in the text.
  private static let text = (0..<93).map { "w" + "\(1_000_000 + $0)".dropFirst() + " " }.joined()

  init() throws {
    world = try SharedWorld.communicator()
    folder = try SharedFolder(world)
    try write(Self.text, to: "words.txt")
  }

  private func write(_ text: String, to name: String) throws {
    if world.rank == 0 {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
    }
    try world.barrier()
  }

  /// Runs 12 steps on 4, 2, 3, 1 and 4 ranks, and again without a stop on one rank; returns the
  /// samples of both, on rank 0.
  ///
  /// The run with one rank crashes and loses the steps after its newest checkpoint.
  private func samples(
    of phase: (_ overrides: [String]) throws -> any Phase
  ) throws -> (changing: [LedgerSample], alone: [LedgerSample]) {
    let changing = (try phase(["run=\(folder.path)/changing"]), Ledger())
    let path = "\(folder.path)/changing/checkpoints"
    for (ranks, last) in [(4, 3), (2, 5), (3, 8)] {
      try run(changing.0, ranks: ranks, changing.1, stoppingAt: last)
      try changing.1.keep(upTo: path, last: last, on: world)
    }
    let crashing = try phase(["run=\(folder.path)/changing", "checkpoint.every=9"])
    let failure = MonitoringError.storage(.call(operation: "write", path: "m", code: ENOSPC))
    let crash = Recorder { (step) throws(MonitoringError) in if step == 11 { throw failure } }
    if world.rank == 0 {
      #expect(throws: failure) { try run(crashing, ranks: 1, changing.1, crash) }
    } else {
      try run(crashing, ranks: 1, changing.1)
    }
    try changing.1.keep(upTo: path, last: nil, on: world)
    try run(changing.0, ranks: 4, changing.1)
    let alone = (try phase(["run=\(folder.path)/alone"]), Ledger())
    try run(alone.0, ranks: 1, alone.1)
    return (try changing.1.samples(of: world), try alone.1.samples(of: world))
  }

  /// Runs `phase` on the first `ranks` ranks, at most all, to its end or to a stop after `last`.
  private func run(
    _ phase: any Phase, ranks: Int, _ ledger: Ledger, _ recorder: Recorder? = nil,
    stoppingAt last: Int? = nil
  ) throws {
    let part = try world.split(color: world.rank < ranks ? 0 : 1)
    guard world.rank < ranks else { return }
    Signals.prepare(rank: part.rank)
    let stopping = Recorder { step in
      if let last, step == last - 1 {
        kill(getpid(), SIGTERM)
        usleep(50_000)
      }
    }
    let outcome = try TrainingRun(
      LedgerPhase(base: phase, ledger: ledger), world: part,
      workers: .init(threads: 1, cores: nil), resume: .auto, observer: recorder ?? stopping,
      version: "test"
    ).run()
    #expect(outcome == last.map { .stopped(step: $0) } ?? .finished)
  }

  /// Expects each of `count` samples, known by `name`, exactly once an epoch in at least two epochs.
  private func expectEpochs(
    _ samples: (changing: [LedgerSample], alone: [LedgerSample]), of count: Int,
    _ name: (LedgerSample) -> Int?
  ) throws {
    guard world.rank == 0 else { return }
    #expect(samples.changing == samples.alone)
    let names = try samples.changing.map { try #require(name($0)) }
    try #require(names.count > 2 * count, "\(names.count) samples are not two epochs of \(count)")
    var orders: Set<[Int]> = []
    for start in stride(from: 0, through: names.count - count, by: count) {
      let epoch = Array(names[start..<start + count])
      #expect(Set(epoch).count == count, "an epoch has \(Set(epoch).count) of \(count) samples")
      orders.insert(epoch)
    }
    #expect(orders.count == names.count / count)
    #expect(Set(names[(names.count / count * count)...]).count == names.count % count)
  }

  @Test func everyWindowOncePerEpoch() throws {
    let settings = ["data.train=[\(folder.path)/words.txt]", "data.validation=0"]
    let samples = try samples { try phase(settings + $0) }
    guard world.rank == 0 else { return }
    let tokens = try RunTokens(folder: "\(folder.path)/alone/data").tokens
    let count = (tokens.count - 16) / 16
    let places = Dictionary(
      uniqueKeysWithValues: (0..<tokens.count - 16).map { (Array(tokens[$0 + 1...$0 + 16]), $0) })
    try expectEpochs(samples, of: count) { places[$0.targets] }
    // The windows of an epoch lie side by side: no token is read twice, and none between them is left.
    let starts = samples.changing.prefix(count).compactMap { places[$0.targets] }.sorted()
    #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 == $0 + 16 })
  }

  @Test(arguments: ["chat", "classification"]) func everyRecordOncePerEpoch(task: String) throws {
    try world.barrier()
    _ = try TrainingRun(
      phase([
        "run=\(folder.path)/base", "data.train=[\(folder.path)/words.txt]", "data.validation=0",
        "model.context=64", "batch.sequences=1", "steps=1",
      ]), world: world, workers: .init(threads: 1, cores: nil), resume: .never,
      observer: Recorder(), version: "test"
    ).run()
    let count = 43
    let records = (0..<count).map { index in
      let text = "\(index)" + String(repeating: "a", count: index % 5)
      return task == "chat"
        ? #"{"messages":[{"role":"user","content":"\#(text)"},{"role":"assistant","content":"b"}]}"#
        : #"{"text":"\#(text)","label":"\#(index % 3)"}"#
    }
    try write(records.joined(separator: "\n"), to: "records.jsonl")
    let yaml = """
      task: \(task)
      model: { from: \(folder.run.path.dropLast(3))base }
      data: { train: [\(folder.path)/records.jsonl], validation: 0 }
      batch: { microBatches: 4, sequences: 2 }
      steps: 12
      schedule: { warmup: 2 }
      checkpoint: { every: 0, keep: 2, keepBest: false }
      """
    let samples = try samples { overrides in
      var reader = try ConfigurationReader(yaml: yaml, file: "run.yaml", overrides: overrides)
      return try Finetuning(&reader)
    }
    try expectEpochs(samples, of: count) { sample in
      Int(
        String(decoding: sample.inputs.map { UInt8(clamping: $0) }, as: UTF8.self)
          .filter(\.isNumber))
    }
  }
}

/// The tokens of the dataset of a run.
private struct RunTokens {
  let tokens: [TokenID]

  init(folder: String) throws {
    let stream = try Dataset(
      opening: folder, expecting: Dataset.fingerprint(of: ByteTokenizer())
    ).train.tokens
    tokens = try stream.ids(in: 0..<stream.count)
  }
}

/// A sample as a replica has computed it.
private struct LedgerSample: Equatable, Sendable {
  let inputs: [TokenID]
  let targets: [TokenID]
}

/// The samples that this rank has computed, in every step.
private final class Ledger: Sendable {
  /// The samples of a micro-batch.
  struct Entry: Sendable {
    let step: Int
    let index: Int
    let samples: [LedgerSample]
  }

  private let entries = Mutex<[Entry]>([])

  /// Enters the samples of `batch`: its examples, or its rows where it has none.
  func enter(_ batch: Batch, of microBatch: MicroBatch) {
    let rows = (0..<batch.sequences).map { $0 * batch.context..<($0 + 1) * batch.context }
    let samples = (batch.examples.isEmpty ? rows : batch.examples).map {
      LedgerSample(inputs: Array(batch.inputs[$0]), targets: Array(batch.targets[$0]))
    }
    entries.withLock {
      $0.append(Entry(step: microBatch.step, index: microBatch.index, samples: samples))
    }
  }

  /// Forgets the steps after the newest checkpoint in `path`, which the run has lost, and expects
  /// that one to be `last`, if it is known.
  ///
  /// Collective.
  func keep(upTo path: String, last: Int?, on world: Communicator) throws {
    try world.barrier()
    let newest = try CheckpointStore(path: path).publishedSteps().last ?? 0
    #expect(last == nil || newest == last)
    if last == nil { #expect(newest < 11) }
    entries.withLock { $0.removeAll { $0.step >= newest } }
    try world.barrier()
  }

  /// Returns the samples of all ranks in the order of training, on every rank.
  ///
  /// Collective.
  func samples(of world: Communicator) throws -> [LedgerSample] {
    let own = entries.withLock { $0 }.flatMap { entry in
      entry.samples.enumerated().flatMap { place, sample in
        [entry.step, entry.index, place, sample.inputs.count].map { Int64($0) }
          + (sample.inputs + sample.targets).map { Int64($0) }
      }
    }
    var found: [(place: [Int64], sample: LedgerSample)] = []
    for words in try world.allGatherV(own) {
      var start = 0
      while start < words.count {
        let length = Int(words[start + 3])
        let tokens = words[start + 4..<start + 4 + 2 * length].map { TokenID($0) }
        found.append(
          (
            Array(words[start..<start + 3]),
            LedgerSample(
              inputs: Array(tokens.prefix(length)), targets: Array(tokens.suffix(length)))
          ))
        start += 4 + 2 * length
      }
    }
    return found.sorted { $0.place.lexicographicallyPrecedes($1.place) }.map(\.sample)
  }
}

/// An objective that enters the batches of another one in a ledger.
private struct LedgerObjective: Objective {
  let base: any BatchObjective
  let ledger: Ledger

  var hasMeasures: Bool { base.hasMeasures }

  func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    let loss = try base.loss(of: microBatch, on: replica, in: workspace)
    ledger.enter(replica.batch, of: microBatch)
    return loss
  }

  func epochs(steps: Int) -> Double { base.epochs(steps: steps) }

  func guessLoss(vocabulary: Int) -> Double? { base.guessLoss(vocabulary: vocabulary) }
}

/// A phase whose batches are entered in a ledger.
private struct LedgerPhase: Phase {
  let base: any Phase
  let ledger: Ledger

  var plan: TrainingPlan { base.plan }

  func prepare(_ run: RunContext) throws -> PreparedPhase {
    let prepared = try base.prepare(run)
    let objective = try #require(prepared.objective as? any BatchObjective)
    return PreparedPhase(
      objective: LedgerObjective(base: objective, ledger: ledger), evaluator: nil,
      settings: prepared.settings)
  }
}
