import CKernels
import Glibc
import Synchronization
import Tensors

/// Threads that wait, awake for a moment and then asleep, for pieces of their leader's work.
public final class ThreadTeam: Team, @unchecked Sendable {
  // Sendable: the leader writes `count` and `body` before it raises `generation`, and again only
  // after the last helper has lowered `busy`.

  /// Number of threads, the leader included.
  public let size: Int
  private let generation = Atomic<Int>(0)
  private let next = Atomic<Int>(0)
  private let busy = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  private let isStopping = Atomic<Bool>(false)
  private let condition = Condition()
  private var count = 0
  private var body: ((Int, Int) -> Void)?
  private var threads: [pthread_t] = []

  /// How often a waiting thread looks before it sleeps or yields: some tens of microseconds, longer
  /// than what lies between two operations of a step.
  private static let patience = 2_000

  /// How often work was shared.
  var runs: Int { generation.load(ordering: .relaxed) }

  /// Starts the helpers of a leader.
  ///
  /// - Parameters:
  ///   - size: Threads, the leader included; at least 1.
  ///   - cores: The core of each helper, or nil to leave them to the system.
  public init(size: Int, cores: [Int]? = nil) throws(WorkerPool.NoThread) {
    precondition(size > 0 && cores.map { $0.count == size - 1 } ?? true, "one core per helper")
    self.size = size
    for lane in 1..<max(1, size) {
      let (thread, status) = Threads.start(core: cores?[lane - 1]) { [self] in help(as: lane) }
      guard status == 0 else {
        stop()
        throw WorkerPool.NoThread(wanted: size - 1, given: lane - 1, code: status)
      }
      threads.append(thread)
    }
  }

  /// Ends the helpers; call when nothing runs.
  ///
  /// The team cannot be used afterwards.
  public func stop() {
    isStopping.store(true, ordering: .sequentiallyConsistent)
    generation.add(1, ordering: .sequentiallyConsistent)
    condition.locked { condition.broadcast() }
    for thread in threads { pthread_join(thread, nil) }
    threads = []
  }

  /// See `Team`.
  public func run(_ count: Int, _ body: (_ index: Int, _ lane: Int) -> Void) {
    precondition(!isStopping.load(ordering: .relaxed), "the team has ended")
    withoutActuallyEscaping(body) { body in
      self.count = count
      self.body = body
      next.store(0, ordering: .relaxed)
      busy.store(size - 1, ordering: .relaxed)
      generation.add(1, ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
        condition.locked { condition.broadcast() }
      }
      work(0)
      var looks = 0
      while busy.load(ordering: .acquiring) > 0 {
        looks += 1
        if looks > ThreadTeam.patience { sched_yield() } else { apus_pause() }
      }
      self.body = nil
    }
  }

  private func work(_ lane: Int) {
    guard let body else { return }
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      body(index, lane)
    }
  }

  private func help(as lane: Int) {
    var seen = 0
    while true {
      var looks = 0
      while generation.load(ordering: .sequentiallyConsistent) == seen {
        looks += 1
        guard looks > ThreadTeam.patience else {
          apus_pause()
          continue
        }
        condition.locked {
          sleepers.add(1, ordering: .sequentiallyConsistent)
          while generation.load(ordering: .sequentiallyConsistent) == seen { condition.wait() }
          sleepers.subtract(1, ordering: .sequentiallyConsistent)
        }
      }
      seen += 1
      if isStopping.load(ordering: .sequentiallyConsistent) { return }
      work(lane)
      busy.subtract(1, ordering: .releasing)
    }
  }
}
