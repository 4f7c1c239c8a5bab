import Files
import Foundation
import Glibc

extension HostReport {
  /// Reads the facts of this machine from the system.
  ///
  /// - Parameters:
  ///   - program: The executable and its MPI.
  ///   - arithmetic: The measured products.
  ///   - cores: The cores that this process is bound to and those that it may use.
  ///   - limits: The limits of the shell that are too low.
  package init(
    program: ProgramFacts, arithmetic: ArithmeticFacts, processor: String,
    cores: (bound: [Int], allowed: [Int]), limits: [Limit], scheduler: Scheduler?
  ) {
    let environment = ProcessInfo.processInfo.environment
    let cgroup = CgroupLimits(membership: SystemText.contents("/proc/self/cgroup") ?? "")
    let meminfo = SystemText.contents("/proc/meminfo") ?? ""
    func bytes(_ key: String) -> Int { SystemText.bytes(of: key, inMeminfo: meminfo) ?? 0 }
    let total = bytes("MemTotal")
    self.init(
      host: Self.hostName, program: program, arithmetic: arithmetic,
      cores: CoreFacts(
        processor: processor, present: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))),
        physical: Self.physicalCores(among: cores.allowed), allowed: cores.allowed,
        bound: cores.bound, quota: cgroup.cores, nodes: Self.nodes(of: cores.allowed),
        load: SystemText.contents("/proc/loadavg").flatMap { Double($0.prefix { $0 != " " }) }
          ?? 0),
      memory: MemoryFacts(
        total: total, available: bytes("MemAvailable"),
        limit: cgroup.memory.flatMap { $0 < total ? $0 : nil }, used: cgroup.used,
        swapUsed: bytes("SwapTotal") - bytes("SwapFree")),
      sharedMemory: Volume(at: "/dev/shm"), temporary: Volume(at: Self.temporaryFolder),
      limits: limits,
      interfaces: NetworkInterface.ofThisHost(),
      leftovers: Leftovers.ofThisHost(), scheduler: scheduler,
      container: Self.container(environment))
  }

  /// The folder in which Open MPI creates its session folders.
  package static var temporaryFolder: String {
    let environment = ProcessInfo.processInfo.environment
    let names = ["TMPDIR", "TEMP", "TMP"]
    return names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? "/tmp"
  }

  /// The name of this host.
  package static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Returns the number of physical cores that `cores` belong to; hyper-threads share one.
  private static func physicalCores(among cores: [Int]) -> Int {
    let siblings = cores.map { core in
      SystemText.contents("/sys/devices/system/cpu/cpu\(core)/topology/thread_siblings_list")
        ?? "\(core)"
    }
    return Set(siblings).count
  }

  /// Returns the number of NUMA nodes with some of `cores`.
  private static func nodes(of cores: [Int]) -> Int {
    let folder = "/sys/devices/system/node"
    let names = (try? FileSystem.names(in: folder)) ?? []
    let used = names.filter { name in
      guard name.hasPrefix("node"), let list = SystemText.contents("\(folder)/\(name)/cpulist")
      else { return false }
      return !Set(SystemText.list(list)).isDisjoint(with: cores)
    }
    return max(1, used.count)
  }

  /// Returns the kind of container around this process.
  private static func container(_ environment: [String: String]) -> String? {
    if environment["APPTAINER_CONTAINER"] != nil { return "Apptainer" }
    if environment["SINGULARITY_CONTAINER"] != nil { return "Singularity" }
    if environment["KUBERNETES_SERVICE_HOST"] != nil { return "Kubernetes" }
    if access("/.dockerenv", F_OK) == 0 { return "Docker" }
    if access("/run/.containerenv", F_OK) == 0 { return "Podman" }
    return nil
  }
}

extension HostReport.Volume {
  /// The file system at `path`, or of the nearest folder above it that exists; sizes are 0 where it
  /// cannot be read.
  package init(at path: String) {
    var path = path
    while path != "/", access(path, F_OK) != 0 { path = FileSystem.parent(of: path) }
    var status = statvfs()
    let isKnown = statvfs(path, &status) == 0
    let block = isKnown ? UInt64(status.f_frsize) : 0
    self.init(
      path: path,
      type: SystemText.type(
        of: FileSystem.resolvingLinks(path),
        inMounts: SystemText.contents("/proc/self/mounts") ?? "")
        ?? "unknown",
      size: Int(clamping: UInt64(status.f_blocks) &* block),
      free: Int(clamping: UInt64(status.f_bavail) &* block))
  }
}
