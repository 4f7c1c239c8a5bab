import Glibc
import TestFolders
import Testing

@testable import Launch

/// The hosts of a run from each of their sources.
@Suite struct HostsTests {
  private func hosts(_ text: String, ranks: Int? = nil) throws -> [Host] {
    let folder = try TemporaryFolder()
    try folder.write(text.utf8, to: "hosts")
    return try Hosts(hostfile: folder("hosts"), ranks: ranks).all
  }

  @Test func aHostfileIsReadAsOpenMPIReadsIt() throws {
    let text = """
      # The cluster.
      node-a slots=2
        node-b.local   slots = 3 max_slots=4  # big

      10.0.0.7 max-slots=1 SLOTS=1\r
      node-a slots=1
      node_c:5
      """
    let expected = [("node-a", 3), ("node-b.local", 3), ("10.0.0.7", 1), ("node_c", 5)]
    #expect(try hosts(text) == expected.map { Host(name: $0, slots: $1) })
    #expect(try hosts("a slots=2\nb\n", ranks: 4).map(\.slots) == [4, 4])
  }

  @Test(arguments: [
    ("a slots=2\nb\n", 2, "the number of its ranks is missing"),
    ("a slots=0", 1, "slots must be a number from 1"),
    ("a slots=two", 1, "slots must be a number from 1"),
    ("a slots=3 max_slots=2", 1, "3 ranks are more than max_slots=2"),
    ("a slots=2 slots=3", 1, "slots is given twice"),
    ("a:2 slots=3", 1, "slots is given twice"),
    ("a slots=2 boards=1", 1, "boards is not supported"),
    ("a slots", 1, "slots is no NAME=VALUE"),
    ("me@a slots=2", 1, "it contains a user's name"),
    ("^a slots=2", 1, "a name has letters"),
    ("=a slots=2", 1, "a name has letters"),
    ("+n0 slots=2", 1, "a name has letters"),
    ("-x slots=2", 1, "a name has letters"),
    ("fe80::1 slots=2", 1, "an IPv6 address"),
  ])
  func aLineThatCannotBeReadIsNamed(text: String, line: Int, reason: String) throws {
    let error = try #require(throws: HostsError.self) { try hosts(text) }
    let sentence = "\(error)"
    #expect(sentence.contains("/hosts:\(line): '"), "\(sentence)")
    #expect(sentence.contains(reason), "\(sentence)")
  }

  @Test func aFileWithoutHostsIsNamed() throws {
    #expect(throws: HostsError.self) { try hosts("# nothing\n\n") }
    let error = #expect(throws: HostsError.self) { try Hosts(hostfile: "none/hosts") }
    #expect("\(error!)".hasPrefix("the hosts in none/hosts cannot be read: "))
    #expect(throws: HostsError.self) { try Hosts(hostfile: "/") }
  }

  @Test func aListIsReadAsMpirunReadsIt() throws {
    let list = try Hosts(list: "a:2,b:1,a:1")
    #expect(list.all == [Host(name: "a", slots: 3), Host(name: "b", slots: 1)])
    #expect(try Hosts(list: "a,b:1", ranks: 2).all.map(\.slots) == [2, 2])
    for text in ["", "a:2,", "a", "a:0", "a:1:2", "a b", "a:-1"] {
      #expect(throws: HostsError.self) { try Hosts(list: text) }
    }
  }

  @Test(arguments: [
    ("n1", ["n1"]),
    ("n[01-03,7],m5", ["n01", "n02", "n03", "n7", "m5"]),
    ("n[08-11]", ["n08", "n09", "n10", "n11"]),
    ("r[1-2]n[3,5]-ib", ["r1n3-ib", "r1n5-ib", "r2n3-ib", "r2n5-ib"]),
  ])
  func aNodeListOfSlurmIsExpanded(list: String, names: [String]) {
    #expect(Hosts.expand(list[...]) == names)
  }

  @Test func theVariablesOfSlurmGiveHostsAndRanks() throws {
    var variables = ["SLURM_JOB_NODELIST": "n[1-3],m", "SLURM_TASKS_PER_NODE": "2(x3),1"]
    #expect(try Hosts(slurm: variables)?.all.map(\.slots) == [2, 2, 2, 1])
    #expect(try Hosts(slurm: [:]) == nil)
    for tasks in [
      "9223372036854775807(x4)", "1(x65536),1(x65536)", "2(x3)", "2(x4),1", "x", "0(x4)", "2(x", "",
    ] {
      variables["SLURM_TASKS_PER_NODE"] = tasks
      #expect(throws: HostsError.self) { try Hosts(slurm: variables) }
    }
    #expect(try Hosts(slurm: variables, ranks: 3)?.all.map(\.slots) == [3, 3, 3, 3])
    for list in [
      "", "n[1-3", "n1-3]", "n[3-1]", "n[a-b]", "n[1-[2]]", "n[]", "n[1-2-3]", "n1,,n2",
      "n[0-65535][0-65535]", "n[0-65535],m[0-65535]",
    ] {
      variables["SLURM_JOB_NODELIST"] = list
      #expect(throws: HostsError.self, "\(list)") { try Hosts(slurm: variables) }
    }
  }

  @Test func aDiscoveryScriptIsAsked() throws {
    let folder = try TemporaryFolder()
    func hosts(_ script: String) throws -> [Host] {
      try folder.write("#!/bin/sh\n\(script)\n".utf8, to: "discover")
      chmod(folder("discover"), 0o755)
      return try Hosts(discoveredBy: folder("discover")).all
    }
    #expect(
      try hosts("echo a:2; echo b slots=1") == [
        Host(name: "a", slots: 2), Host(name: "b", slots: 1),
      ])
    let failed = #expect(throws: HostsError.self) { try hosts("echo a:2; exit 3") }
    #expect("\(failed!)".contains("it exited with code 3"))
    #expect(throws: HostsError.self) { try hosts("true") }
    let endless = #expect(throws: HostsError.self) { try hosts("exec yes a slots=1") }
    #expect("\(endless!)".contains("it printed more than 16 MiB"))
    #expect(throws: HostsError.self) { try Hosts(discoveredBy: folder("none")) }
  }

  @Test func aNameInAMessageFindsItsHost() throws {
    let hosts = try Hosts(list: "node-a.example.org:1,10.0.0.7:1,localhost:1")
    #expect(hosts.host(called: "node-a")?.name == "node-a.example.org")
    #expect(hosts.host(called: "NODE-A.local")?.name == "node-a.example.org")
    #expect(hosts.host(called: "10.0.0.7")?.name == "10.0.0.7")
    #expect(hosts.host(called: "10.0.0.8") == nil)
    #expect(hosts.host(called: Host.ownName)?.name == "localhost")
    #expect(!hosts.isThisMachine && Hosts.local(slots: 2).isThisMachine)
  }
}
