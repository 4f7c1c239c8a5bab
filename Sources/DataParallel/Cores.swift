import CKernels
import Glibc

/// Which cores a rank's workers run on.
public enum Cores {
  /// A choice of cores for the workers of one rank.
  public struct Assignment: Equatable, Sendable {
    /// Number of workers.
    public let threads: Int
    /// One core per worker; nil leaves them to the system.
    public let cores: [Int]?

    /// How the threads of a rank divide: as many workers as there is work for, and the other
    /// threads in teams with them.
    ///
    /// - Parameters:
    ///   - leaves: Micro-batches of a step, those added in order counted as one.
    ///   - ranks: Ranks of the world.
    ///   - most: Workers that memory allows; at least 1.
    public func crew(leaves: Int, ranks: Int, most: Int = .max)
      -> (workers: Int, team: Int, cores: [Int]?)
    {
      let workers = min(threads, (leaves + ranks - 1) / ranks, most)
      let team = threads / workers
      return (workers, team, cores.map { Array($0.prefix(workers * team)) })
    }
  }

  /// More workers than cores were asked for.
  public struct Oversubscribed: Error, Equatable {
    /// Workers per rank × ranks on the host.
    public let workers: Int
    /// Cores that the host gives this program.
    public let cores: Int
  }

  /// The workers of one rank.
  ///
  /// `mpirun` binds a rank to one core or one socket unless told otherwise. Ranks that were given the
  /// same cores take their workers' in order, if there are enough for all of them; otherwise all
  /// ranks of a host share all of its cores in order.
  ///
  /// - Parameters:
  ///   - threads: Workers per rank.
  ///   - given: Cores that each rank of the host was started on, by local rank.
  ///   - allowed: Cores of the host this program may use.
  ///   - localRank: Number of this rank on its host.
  ///   - oversubscribe: Whether more workers than cores are wanted.
  /// - Throws: `Oversubscribed` when there are more workers than cores without the wish for it.
  public static func assign(
    threads: Int, given: [[Int]], allowed: [Int], localRank: Int, oversubscribe: Bool
  ) throws(Oversubscribed) -> Assignment {
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

  /// The cores of this process now, and those it may have: asks for all and sees what it gets.
  ///
  /// Afterwards the process may run on all of them.
  public static func survey() -> (given: [Int], allowed: [Int]) {
    let given = current()
    pin(to: Array(0..<max(1, sysconf(Int32(_SC_NPROCESSORS_CONF)))))
    return (given, current())
  }

  private static let maskBytes = 1024

  private static func current() -> [Int] {
    var mask = [UInt8](repeating: 0, count: maskBytes)
    guard apus_get_affinity(&mask, maskBytes) == 0 else {
      return Array(0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }
    return (0..<maskBytes * 8).filter { mask[$0 / 8] & (1 << UInt8($0 % 8)) != 0 }
  }

  /// Binds the calling thread.
  ///
  /// A system that refuses leaves it where it is: slower, not wrong.
  static func pin(to cores: [Int]) {
    var mask = [UInt8](repeating: 0, count: maskBytes)
    for core in cores where core < maskBytes * 8 { mask[core / 8] |= 1 << UInt8(core % 8) }
    _ = apus_set_affinity(mask, maskBytes)
  }
}
