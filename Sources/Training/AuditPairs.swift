/// The ranks that recompute each other's gradients.
///
/// Every rank audits one other, and is audited by one, on another host where no host has more than
/// half of the ranks. Of two ranks that differ, a third one decides.
struct AuditPairs: Equatable, Sendable {
  /// The rank that audits each rank; itself with a single rank.
  let auditors: [Int]
  /// The rank that decides about each rank and its auditor; nil with fewer than three ranks.
  let judges: [Int?]
  /// The rank that each rank audits.
  let audited: [Int]

  /// - Parameter hosts: The host of each rank.
  init(hosts: [String]) {
    let count = hosts.count
    let firsts = hosts.map { host in hosts.firstIndex(of: host) ?? 0 }
    let order = hosts.indices.sorted { (firsts[$0], $0) < (firsts[$1], $1) }
    let widest = hosts.map { host in hosts.count { $0 == host } }.max() ?? 1
    // In the order of hosts, the rank after as many as the largest host has is on another one.
    let shift = widest < count ? widest : 1
    var auditors = Array(hosts.indices)
    var audited = auditors
    for (place, rank) in order.enumerated() {
      let auditor = order[(place + shift) % count]
      (auditors[rank], audited[auditor]) = (auditor, rank)
    }
    (self.auditors, self.audited) = (auditors, audited)
    judges = auditors.enumerated().map { rank, auditor in
      let others = hosts.indices.filter { $0 != rank && $0 != auditor }
      let elsewhere = others.filter { hosts[$0] != hosts[rank] && hosts[$0] != hosts[auditor] }
      return elsewhere.first ?? others.first
    }
  }
}

/// The checksums of a gradient that two ranks computed differently, and those of a second try.
struct AuditDispute: Equatable, Sendable {
  /// A rank, and the checksums that it computed, in order.
  struct Witness: Equatable, Sendable {
    let rank: Int
    let checksums: [UInt64]
  }

  let witnesses: [Witness]

  /// The ranks that computed wrongly; all that may have, where `isDecided` is false.
  var suspects: [Int] {
    if let right {
      return witnesses.filter { $0.checksums.contains { $0 != right } }.map(\.rank)
    }
    // A rank that contradicts itself is wrong.
    let changing = witnesses.filter { Set($0.checksums).count > 1 }
    return (changing.isEmpty ? witnesses : changing).map(\.rank)
  }

  /// True when the suspects are known to have computed wrongly.
  var isDecided: Bool {
    right != nil || witnesses.count == 1 || suspects.count < witnesses.count
  }

  /// The checksum on which two ranks agree in the end; nil where no two do.
  private var right: UInt64? {
    let last = witnesses.compactMap(\.checksums.last)
    return last.first { checksum in last.count { $0 == checksum } > 1 }
  }
}
