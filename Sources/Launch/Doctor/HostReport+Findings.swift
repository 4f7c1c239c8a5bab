import Files

/// The work that a run would give to a host.
package struct HostLoad: Equatable, Sendable {
  /// Ranks on the host; nil when unknown.
  package var ranks: Int?
  /// Threads per rank; nil for all cores of the rank.
  package var threads: Int?

  package init(ranks: Int? = nil, threads: Int? = nil) {
    self.ranks = ranks
    self.threads = threads
  }
}

extension HostReport {
  /// Returns the faults of this host alone, under `load`.
  package func findings(under load: HostLoad = HostLoad()) -> [Finding] {
    programFindings + limitFindings + arithmeticFindings + coreFindings(load)
      + memoryFindings(load) + leftoverFindings
  }

  func defect(_ what: String, why: String, remedy: String) -> Finding {
    Finding(.defect, [host], what, why: why, remedy: remedy)
  }

  func warning(_ what: String, why: String, remedy: String, kind: String? = nil) -> Finding {
    Finding(.warning, [host], what, why: why, remedy: remedy, kind: kind)
  }

  // MARK: MPI

  private var programFindings: [Finding] {
    var findings: [Finding] = []
    if program.mpirun == nil {
      findings.append(
        defect(
          "PATH has no mpirun", why: "mpirun starts the ranks, on this host and from it",
          remedy: "apt-get install openmpi-bin, or add the folder of mpirun to PATH"))
    } else if let version = program.mpirunVersion, let starts = MPIVersion(version),
      let linked = MPIVersion(program.mpi), starts != linked
    {
      let around = container.map { ", in the \($0) container" } ?? ""
      // Debian's alternatives choose between the packages openmpi-bin and mpich.
      let choice =
        starts.family == linked.family ? "" : "update-alternatives --config mpirun (Debian), or "
      findings.append(
        defect(
          "mpirun is of \(starts) and apus is linked to \(linked)\(around)",
          why: "ranks of another MPI do not join: each believes to be alone, or MPI_Init fails",
          remedy: container == nil
            ? choice + "put the mpirun of \(linked) first in PATH, or build apus again on this host"
            : "put the mpirun of \(linked) first in the container's PATH; where the host's mpirun "
              + "starts the container, build apus in it with the host's version"))
    }
    let usesHydra = MPIVersion(program.mpi)?.usesHydra ?? false
    let (type, name) = usesHydra ? ("pmi2", "PMI-2") : ("pmix", "PMIx")
    if let scheduler, let types = scheduler.types, !types.contains(where: { $0.hasPrefix(type) }) {
      findings.append(
        warning(
          "Slurm has no \(name) (srun --mpi=list has \(types.joined(separator: ", ")))",
          why: "ranks of \(usesHydra ? "MPICH" : "Open MPI") that srun starts would each be alone",
          remedy:
            "start with \(usesHydra ? "mpiexec" : "mpirun or apus launch") inside the job, or "
            + "install slurm-wlm's \(name) plugin"))
    }
    return findings
  }

  private var limitFindings: [Finding] {
    limits.map {
      defect(
        "the limit of \($0.resource) (ulimit \($0.option)) is \($0.value), and MPI needs \($0.least)",
        why: "MPI_Init waits for ever or ends without a reason below it",
        remedy: "ulimit \($0.option) \($0.shellValue), and for good in /etc/security/limits.conf")
    }
  }

  // MARK: Memory

  private func memoryFindings(_ load: HostLoad) -> [Finding] {
    var findings: [Finding] = []
    let ranks = load.ranks ?? cores.allowed.count
    // A segment of each rank, and as much again for what is shared by all.
    let needed = (ranks + 1) << 22
    let inContainer = container != nil
    if sharedMemory.free < needed {
      findings.append(
        defect(
          "\(sharedMemory.path) has \(sharedMemory.free.mebibytes) free, and \(ranks, "rank") need "
            + needed.mebibytes,
          why: "ranks of one host exchange gradients through files there; without room they die of "
            + "SIGBUS or turn slow",
          remedy: inContainer
            ? "start the container with --shm-size=1g (Kubernetes: an emptyDir of medium Memory at "
              + "/dev/shm), or as root: mount -o remount,size=1g /dev/shm"
            : "mount -o remount,size=1g \(sharedMemory.path)"
              + (leftovers.bytes > 0 ? ", and remove the leftovers named below" : "")))
    }
    if !["tmpfs", "unknown", "ramfs"].contains(sharedMemory.type) {
      findings.append(
        warning(
          "\(sharedMemory.path) is no memory, but \(sharedMemory.type)",
          why: "every exchange between ranks of one host would be written to a disk",
          remedy: "mount -t tmpfs -o size=1g tmpfs \(sharedMemory.path)"))
    }
    if temporary.free < 64 << 20 {
      findings.append(
        defect(
          "\(temporary.path) has \(temporary.free.mebibytes) free",
          why: "mpirun keeps its session folder there and does not start without room",
          remedy: "remove files there, or export TMPDIR=/another/folder on every host"))
    }
    let free = memory.free
    if free < max(512 << 20, memory.total / 20) {
      let limit = memory.limit.map { " (its cgroup grants \($0.mebibytes))" } ?? ""
      findings.append(
        warning(
          "\(free.mebibytes) of memory are free\(limit)",
          why: "a run that does not fit is refused at its start, or killed by the system later",
          remedy: memory.limit == nil
            ? "ps aux --sort=-rss | head, and end what is not needed"
            : "raise the memory of the job or container (Slurm: --mem, Docker: --memory)",
          kind: "memory"))
    }
    if memory.swapUsed > 256 << 20, memory.available < memory.total / 4 {
      findings.append(
        warning(
          "\(memory.swapUsed.mebibytes) are swapped out",
          why: "a rank that waits for swapped memory holds up all others",
          remedy: "end what uses the memory, then swapoff -a && swapon -a", kind: "swap"))
    }
    return findings
  }

  // MARK: Leftovers

  private var leftoverFindings: [Finding] {
    var findings: [Finding] = []
    if !leftovers.processes.isEmpty {
      let shown = leftovers.processes.prefix(3).map { "\($0.id) (\($0.command))" }
      let ids = leftovers.processes.map { "\($0.id)" }.joined(separator: " ")
      findings.append(
        warning(
          "\(leftovers.processes.count, "rank") of ended runs still live: "
            + shown.joined(separator: ", ") + (leftovers.processes.count > 3 ? ", …" : ""),
          why: "they take cores and memory from the next run, and may write into its folder",
          remedy: "kill -9 \(ids)"))
    }
    if !leftovers.paths.isEmpty {
      let folders = Set(leftovers.paths.map { FileSystem.parent(of: $0) }).sorted()
      findings.append(
        warning(
          "\(leftovers.paths.count, "leftover") of Open MPI in \(folders.joined(separator: " and ")), "
            + "with \(leftovers.bytes.mebibytes) of shared memory, which no process uses",
          why: "killed runs leave them; those in /dev/shm occupy memory until the next boot",
          remedy: leftovers.paths.count <= 3
            ? "rm -r \(leftovers.paths.joined(separator: " "))"
            : "\(program.path) doctor leftovers | xargs -d '\\n' rm -r", kind: "leftovers"))
    }
    return findings
  }
}

extension HostReport.Limit {
  /// ``least`` in the unit of `ulimit`.
  fileprivate var shellValue: UInt64 {
    switch option {
    case "-f": (least + 511) / 512
    case "-s", "-v": (least + 1023) / 1024
    default: least
    }
  }
}

/// The family and version of an MPI, from the text of a library or of `mpirun --version`.
struct MPIVersion: Equatable, CustomStringConvertible {
  let family: String
  let version: String

  /// Nil for a text without a known family and a version.
  init?(_ text: String) {
    let families = [
      ("Open MPI", "Open MPI"), ("OpenRTE", "Open MPI"), ("MPICH", "MPICH"), ("HYDRA", "MPICH"),
      ("Intel", "Intel MPI"),
    ]
    guard let family = families.first(where: { text.contains($0.0) })?.1,
      let match = text.firstMatch(of: /\d+\.\d+(\.\d+)?/)
    else { return nil }
    self.family = family
    version = String(match.output.0)
  }

  var description: String { "\(family) \(version)" }

  /// True for MPICH and its descendants, which hydra starts.
  var usesHydra: Bool { ["MPICH", "Intel MPI"].contains(family) }
}

extension HostReport {
  /// Returns the part of the output of `mpirun --version` that has the version: the first line, or the
  /// first two of hydra.
  package static func mpirunVersion(of output: String) -> String? {
    let lines = output.split(whereSeparator: \.isNewline)
    guard let first = lines.first else { return nil }
    if first.contains(where: \.isNumber) { return String(first) }
    return lines.prefix(2).joined(separator: " ")
  }
}

extension Int {
  /// The bytes as text, in MiB or GiB.
  var mebibytes: String {
    self < 10 << 30 ? "\(self >> 20) MiB" : "\((Double(self) / Double(1 << 30)).decimals(1)) GiB"
  }
}
