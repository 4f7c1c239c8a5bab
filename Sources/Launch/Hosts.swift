// "Runs on hosts: started, watched, relaunched. Outside MPI."

import Files
import Glibc

/// A machine, and the number of ranks that it may run.
package struct Host: Hashable, Sendable {
  /// The name by which `mpirun` and `ssh` reach it.
  package let name: String
  /// The number of ranks, 1 or more.
  package let slots: Int

  package init(name: String, slots: Int) {
    self.name = name
    self.slots = slots
  }

  /// Returns true when `name` is this host, perhaps with another domain.
  package func isCalled(_ name: String) -> Bool {
    let (own, other) = (Self.label(self.name), Self.label(name))
    return own == other || (isThisMachine && Host(name: name, slots: 1).isThisMachine)
  }

  /// True when the name is one that this machine has itself.
  package var isThisMachine: Bool {
    ["localhost", "127.0.0.1"].contains(name) || Self.label(name) == Self.label(Self.ownName)
  }

  /// The name of this machine.
  package static var ownName: String {
    var bytes = [CChar](repeating: 0, count: 256)
    gethostname(&bytes, bytes.count - 1)
    return String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The name without its domain, which `mpirun` leaves out, in lower case; an address as it is.
  private static func label(_ name: String) -> String {
    let isAddress = name.allSatisfy { $0.isNumber || $0 == "." }
    return (isAddress ? name : String(name.prefix { $0 != "." })).lowercased()
  }
}

/// The hosts of a run, in the order in which they are used; no name occurs twice.
package struct Hosts: Equatable, Sendable {
  package let all: [Host]

  /// Merges lines of one host, whose slots add up as those of a hostfile do.
  package init(_ hosts: [Host]) {
    var (order, slots): ([String], [String: Int]) = ([], [:])
    for host in hosts {
      if slots[host.name] == nil { order.append(host.name) }
      slots[host.name, default: 0] += host.slots
    }
    all = order.map { Host(name: $0, slots: slots[$0] ?? 0) }
  }

  /// This machine alone.
  package static func local(slots: Int) -> Hosts {
    Hosts([Host(name: "localhost", slots: slots)])
  }

  /// Hosts separated by commas, as `mpirun --host` has them: `node-a:2,node-b:2`.
  ///
  /// - Parameter ranks: The ranks of every host, in place of its slots; nil when each must have slots.
  package init(list: String, ranks: Int? = nil) throws(HostsError) {
    var hosts: [Host] = []
    for (place, word) in list.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
      let line = HostLine(String(word), at: "host \(place + 1) of the list", isPart: true)
      guard let host = try line.host(ranks: ranks) else {
        throw .badLine(
          place: line.place, text: list, reason: "it is empty",
          remedy: "write a name between commas")
      }
      hosts.append(host)
    }
    self.init(hosts)
  }

  /// Returns true when this machine is the only host, so that nothing is started through `ssh`.
  package var isThisMachine: Bool { all.count == 1 && all[0].isThisMachine }

  /// Returns the host that a message calls `name`.
  package func host(called name: String) -> Host? {
    all.first { $0.name == name } ?? all.first { $0.isCalled(name) }
  }
}
