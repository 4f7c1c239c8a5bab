import Foundation
import Glibc
import TestFolders
import Testing

@testable import Launch

/// What the kernel's files say.
@Suite struct SystemTextTests {
  @Test func listsAndSizes() {
    #expect(SystemText.list("0-3,8,10-11\n") == [0, 1, 2, 3, 8, 10, 11])
    #expect(SystemText.list("") == [])
    #expect([3, 0, 1, 8, 2].list == "0-3,8")
    #expect(SystemText.bytes(of: "MemFree", inMeminfo: "MemTotal: 9 kB\nMemFree:  7 kB\n") == 7168)
    let mounts = """
      overlay / overlay rw 0 0
      tmpfs /dev/shm tmpfs rw 0 0
      10.0.0.1:/x /work nfs4 rw 0 0
      """
    for (path, type) in [
      ("/dev/shm", "tmpfs"), ("/work/a/b", "nfs4"), ("/workers", "overlay"), ("/", "overlay"),
    ] { #expect(SystemText.type(of: path, inMounts: mounts) == type) }
  }

  @Test func networks() throws {
    let interface = try #require(NetworkInterface("eth0", "172.17.3.1/16"))
    #expect(interface.network == "172.17.0.0/16" && interface.addressText == "172.17.3.1")
    #expect(
      NetworkInterface("x", "10.0.0.1/33") == nil && NetworkInterface("x", "fe80::1/64") == nil)
  }

  /// Writes files into a folder that stands for /sys/fs/cgroup.
  private func limits(_ membership: String, _ files: [String: String]) throws -> CgroupLimits {
    let folder = try TemporaryFolder()
    for (name, text) in files {
      let path = "\(folder.path)/\(name)"
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
    return CgroupLimits(membership: membership, root: folder.path)
  }

  @Test func limitsOfBothVersionsOfCgroups() throws {
    let unified = try limits(
      "0::/job/step\n",
      [
        "job/cpu.max": "150000 100000\n", "job/step/cpu.max": "max 100000\n",
        "job/memory.max": "2147483648\n", "job/memory.current": "1073741824\n",
        "job/memory.stat": "anon 5\ninactive_file 536870912\n", "job/step/memory.max": "max\n",
      ])
    #expect(unified.cores == 1.5 && unified.memory == 2 << 30 && unified.used == 512 << 20)
    let old = try limits(
      "4:memory:/m\n2:cpu,cpuacct:/c\n",
      [
        "cpu/c/cpu.cfs_quota_us": "400000\n", "cpu/c/cpu.cfs_period_us": "100000\n",
        "memory/m/memory.limit_in_bytes": "1073741824\n",
        "memory/m/memory.usage_in_bytes": "1000\n",
      ])
    #expect(old.cores == 4 && old.memory == 1 << 30 && old.used == 1000)
    let none = try limits(
      "4:memory:/\n2:cpu:/\n",
      [
        "cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n",
        "memory/memory.limit_in_bytes": "9223372036854771712\n",
      ])
    #expect(none.cores == nil && none.memory == nil)
  }

  @Test func ranksWithoutALauncherAreOrphans() {
    func entry(_ id: Int32, _ parent: Int32, _ name: String, isRank: Bool) -> ProcessTable.Entry {
      .init(id: id, parent: parent, name: name, arguments: [name], isRank: isRank, mapped: [])
    }
    let table = ProcessTable(entries: [
      entry(1, 0, "init", isRank: false), entry(10, 1, "mpirun", isRank: false),
      entry(11, 10, "apus", isRank: true),
      // A reward command of a rank, and a rank whose mpirun was killed.
      entry(12, 11, "sh", isRank: true), entry(20, 1, "apus", isRank: true),
    ])
    #expect(table.orphans.map(\.id) == [20])
  }

  /// A session folder and a shared file of a killed run, beside those of a running one.
  @Test func unusedSessionFoldersAreLeftovers() throws {
    let (temporary, shared) = (try TemporaryFolder(), try TemporaryFolder())
    for name in ["pid.1", "jf.22"] {
      try FileManager.default.createDirectory(
        atPath: "\(temporary.path)/ompi.a.0/\(name)", withIntermediateDirectories: true)
    }
    let used = "\(temporary.path)/ompi.a.0/pid.1/data"
    for path in [used, "\(shared.path)/vader_segment.a.0", "\(shared.path)/other"] {
      try Data(count: 8192).write(to: URL(fileURLWithPath: path))
    }
    let file = open(used, O_RDONLY)
    let mapping = mmap(nil, 8192, PROT_READ, MAP_SHARED, file, 0)
    defer {
      munmap(mapping, 8192)
      close(file)
    }
    try #require(mapping != MAP_FAILED)
    let found = HostReport.Leftovers.ofThisHost(
      temporary: temporary.path, shared: shared.path, olderThan: -1)
    #expect(
      found.paths.map { ($0 as NSString).lastPathComponent } == ["vader_segment.a.0", "jf.22"])
    #expect(found.bytes == 8192)
    let young = HostReport.Leftovers.ofThisHost(temporary: temporary.path, shared: shared.path)
    #expect(young.paths == [])
  }
}
