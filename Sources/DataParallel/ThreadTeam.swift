import CKernels
import Glibc
import Synchronization
import Tensors

/// The helper threads of a worker (the leader), which divide a loop's iterations with it.
///
/// Idle helpers spin for a short time and then sleep.
package final class ThreadTeam: Team, @unchecked Sendable {
  // Sendable: the leader writes `count` and `body` before it increments `generation`, and again
  // only after the last helper has decremented `busy`.

  /// The number of threads, the leader included.
  package let size: Int
  private let generation = Atomic<Int>(0)
  private let next = Atomic<Int>(0)
  private let busy = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  private let isStopping = Atomic<Bool>(false)
  private let condition = Condition()
  private var count = 0
  private var body: ((Int, Int) -> Void)?
  private var threads: [pthread_t] = []

  /// The number of spins after which a waiting helper sleeps and a waiting leader yields: some tens
  /// of microseconds, longer than the gap between two operations of a step.
  private static let spinLimit = 2_000

  /// The number of calls of `run` so far.
  var runs: Int { generation.load(ordering: .relaxed) }

  /// Starts the helpers of a leader.
  ///
  /// - Parameters:
  ///   - size: The number of threads, the leader included; at least 1.
  ///   - cores: The core of each helper, or nil to let the system schedule them.
  /// - Throws: `ThreadStartFailure` when the system starts fewer helpers.
  package init(size: Int, cores: [Int]? = nil) throws(WorkerPool.ThreadStartFailure) {
    precondition(size > 0 && cores.map { $0.count == size - 1 } ?? true, "one core per helper")
    self.size = size
    for lane in 1..<max(1, size) {
      let (thread, status) = Threads.start(core: cores?[lane - 1]) { [self] in help(as: lane) }
      guard status == 0 else {
        stop()
        throw WorkerPool.ThreadStartFailure(wanted: size - 1, started: lane - 1, code: status)
      }
      threads.append(thread)
    }
  }

  /// Ends the helpers; call it only when `run` is not running.
  ///
  /// The team cannot be used afterwards.
  package func stop() {
    isStopping.store(true, ordering: .sequentiallyConsistent)
    generation.add(1, ordering: .sequentiallyConsistent)
    condition.locked { condition.broadcast() }
    for thread in threads { pthread_join(thread, nil) }
    threads = []
  }

  package func run(_ count: Int, _ body: (_ index: Int, _ lane: Int) -> Void) {
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
      var spins = 0
      while busy.load(ordering: .acquiring) > 0 {
        spins += 1
        if spins > ThreadTeam.spinLimit { sched_yield() } else { apus_pause() }
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
      var spins = 0
      while generation.load(ordering: .sequentiallyConsistent) == seen {
        spins += 1
        guard spins > ThreadTeam.spinLimit else {
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
