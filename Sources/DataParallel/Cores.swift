import CSystem
import Glibc

/// The assignment of cores to the workers of a rank.
package enum Cores {
  /// The threads of one rank and their cores.
  package struct Assignment: Equatable, Sendable {
    /// The number of threads.
    package let threads: Int
    /// One core per thread, or nil to let the system schedule them.
    package let cores: [Int]?

    package init(threads: Int, cores: [Int]?) {
      self.threads = threads
      self.cores = cores
    }

    /// Divides the threads of a rank into workers, at most one per leaf that the rank computes, and
    /// gives each worker a team of equal size.
    ///
    /// Threads that are left over stay unused.
    ///
    /// - Parameters:
    ///   - leaves: The leaves of the summation tree in a step: micro-batches ÷ accumulation.
    ///   - ranks: The number of ranks in the world.
    ///   - memoryLimit: The most workers that fit into memory; at least 1.
    /// - Returns: The number of workers, the threads in each team with the worker included, and a
    ///   core per thread, worker after worker.
    package func workerSplit(leaves: Int, ranks: Int, memoryLimit: Int = .max)
      -> (workers: Int, team: Int, cores: [Int]?)
    {
      let workers = min(threads, (leaves + ranks - 1) / ranks, memoryLimit)
      let team = threads / workers
      return (workers, team, cores.map { Array($0.prefix(workers * team)) })
    }
  }

  /// The error when a host has fewer cores than workers.
  package struct Oversubscribed: Error, Equatable, CustomStringConvertible {
    /// The number of workers on the host: workers per rank × ranks on the host.
    package let workers: Int
    /// The number of cores of the host that this program may use.
    package let cores: Int

    /// One sentence: what, why, what to do.
    package var description: String {
      let most = mostThreadsPerCore * cores
      return workers > most
        ? "\(workers) threads (ranks × --threads) on a host are more than \(most), "
          + "\(mostThreadsPerCore) per core: lower --threads"
        : "\(workers) workers (ranks × threads) on a host are more than its \(cores) cores: start "
          + "fewer ranks, lower --threads, or pass --oversubscribe"
    }
  }

  /// The most threads per core that can be asked for; a run with more makes no progress.
  package static let mostThreadsPerCore = 64

  /// Refuses more threads on a host than any number of cores can serve.
  package static func requireFewThreads(_ threads: Int, ranks: Int = 1, cores: Int)
    throws(Oversubscribed)
  {
    let (all, overflow) = threads.multipliedReportingOverflow(by: ranks)
    if overflow || all > mostThreadsPerCore * cores {
      throw Oversubscribed(workers: overflow ? .max : all, cores: cores)
    }
  }

  /// Assigns cores to the threads of one rank.
  ///
  /// By default `mpirun` binds a rank to one core or one socket. Where every set of cores has
  /// enough of them for all ranks that are bound to it, these ranks take their cores from it in
  /// order. Otherwise all ranks of a host take theirs from all its allowed cores in order.
  ///
  /// - Parameters:
  ///   - threads: The number of threads per rank.
  ///   - given: The cores that each rank of the host was bound to at its start, by local rank.
  ///   - allowed: The cores of the host that this program may use.
  ///   - localRank: The number of this rank on its host, from 0.
  ///   - oversubscribe: Permits more threads than cores; none of them is then bound to a core.
  /// - Throws: `Oversubscribed` when there are more threads than cores and `oversubscribe` is
  ///   false, or more than any number of cores can serve.
  package static func assign(
    threads: Int, given: [[Int]], allowed: [Int], localRank: Int, oversubscribe: Bool
  ) throws(Oversubscribed) -> Assignment {
    try requireFewThreads(threads, ranks: given.count, cores: allowed.count)
    guard threads * given.count <= allowed.count else {
      guard oversubscribe else {
        throw Oversubscribed(workers: threads * given.count, cores: allowed.count)
      }
      return Assignment(threads: threads, cores: nil)
    }
    let isBound = given.allSatisfy { mask in
      threads * given.count(where: { $0 == mask }) <= mask.count
    }
    let cores = isBound ? given[localRank] : allowed
    let place = isBound ? given[..<localRank].count(where: { $0 == cores }) : localRank
    return Assignment(
      threads: threads, cores: Array(cores[place * threads..<(place + 1) * threads]))
  }

  /// Returns the cores that this process is bound to and those that it may use.
  ///
  /// It finds the latter by asking the system for all cores and reading back what was granted.
  /// Afterwards the process may run on all of those.
  package static func survey() -> (given: [Int], allowed: [Int]) {
    let given = current()
    pin(to: Array(0..<max(1, sysconf(Int32(_SC_NPROCESSORS_CONF)))))
    return (given, current())
  }

  /// Runs `body` on a thread of each of `cores` at the same time, and returns when all have ended.
  package static func onEach(
    of cores: [Int], _ body: @escaping @Sendable (_ core: Int) -> Void
  ) throws(WorkerPool.ThreadStartFailure) {
    var threads: [pthread_t] = []
    defer { for thread in threads { pthread_join(thread, nil) } }
    for core in cores {
      let (thread, status) = Threads.start(core: core) { body(core) }
      guard status == 0 else {
        throw WorkerPool.ThreadStartFailure(
          wanted: cores.count, started: threads.count, code: status)
      }
      threads.append(thread)
    }
  }

  /// The number of cores that the calling thread may use.
  package static var count: Int { current().count }

  /// Returns the fraction of a core's time that each of `threads` threads has on `cores` cores.
  package static func fraction(threads: Int, cores: Int) -> Double {
    min(1, Double(cores) / Double(threads))
  }

  private static let maskBytes = 1024

  private static func current() -> [Int] {
    var mask = [UInt8](repeating: 0, count: maskBytes)
    guard apus_get_affinity(&mask, maskBytes) == 0 else {
      return Array(0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }
    return (0..<maskBytes * 8).filter { mask[$0 / 8] & (1 << UInt8($0 % 8)) != 0 }
  }

  /// Binds the calling thread to `cores`.
  ///
  /// A refusal of the system is ignored: the thread stays where it is, which costs speed only.
  static func pin(to cores: [Int]) {
    var mask = [UInt8](repeating: 0, count: maskBytes)
    for core in cores where core < maskBytes * 8 { mask[core / 8] |= 1 << UInt8(core % 8) }
    _ = apus_set_affinity(mask, maskBytes)
  }
}
