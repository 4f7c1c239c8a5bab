import MPI

/// The ranks of each host, for an exchange in two levels: within a host and between hosts.
struct HostTopology: Sendable {
  /// The ranks of this host.
  let host: Communicator
  /// The first rank of every host; nil on the other ranks, and with a single host.
  let leaders: Communicator?
  /// The ranks of each host in the world; every host has consecutive ones.
  let hosts: [Range<Int>]
  /// The number of this host in `hosts`.
  let index: Int

  /// True on the first rank of a host.
  var isLeader: Bool { host.rank == 0 }
  /// The ranks of this host in the world.
  var ownRanks: Range<Int> { hosts[index] }

  /// The finding about the hosts of a world.
  enum Finding: Sendable {
    /// No host has two ranks.
    case single
    /// The ranks of a host do not follow one another.
    case scattered
    case hosts(HostTopology)
  }

  /// Finds the hosts of all ranks.
  ///
  /// Collective.
  ///
  /// - Parameter ranksPerHost: The number of consecutive ranks that count as a host, for tests; nil
  ///   for the hosts that there are.
  static func find(_ world: Communicator, ranksPerHost: Int?) throws -> Finding {
    guard world.size > 1, ranksPerHost != 1 else { return .single }
    let host =
      try ranksPerHost.map { try world.split(color: world.rank / $0) }
      ?? world.splitByHost()
    let leader = try host.broadcast(Int64(world.rank))
    guard let hosts = runs(of: try world.allGather([leader]).map { Int($0) }) else {
      return .scattered
    }
    guard hosts.contains(where: { $0.count > 1 }) else { return .single }
    var leaders: Communicator?
    if hosts.count > 1 {
      // A rank that is no leader gets a communicator of its own, and drops it.
      let all = try world.split(color: host.rank == 0 ? 0 : world.rank + 1)
      leaders = host.rank == 0 ? all : nil
    }
    let index = hosts.firstIndex { $0.contains(world.rank) } ?? 0
    return .hosts(HostTopology(host: host, leaders: leaders, hosts: hosts, index: index))
  }

  /// Returns the ranks of each host, or nil when those of a host do not follow one another.
  ///
  /// - Parameter leaders: The first rank of the host of each rank.
  static func runs(of leaders: [Int]) -> [Range<Int>]? {
    var hosts: [Range<Int>] = []
    for (rank, leader) in leaders.enumerated() {
      if leader == rank {
        hosts.append(rank..<rank + 1)
      } else if let last = hosts.last, last.lowerBound == leader {
        hosts[hosts.count - 1] = leader..<rank + 1
      } else {
        return nil
      }
    }
    return hosts
  }
}
