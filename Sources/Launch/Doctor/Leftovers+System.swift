import Files
import Foundation
import Glibc

/// The processes of this user, from /proc.
struct ProcessTable {
  struct Entry: Equatable {
    var id: Int32
    var parent: Int32
    /// The name of the executable, at most 15 characters.
    var name: String
    var arguments: [String]
    /// True for a process that `mpirun` started.
    var isRank: Bool
    /// The files that it has mapped into memory.
    var mapped: Set<String>
  }

  var entries: [Entry]

  /// The processes of this user now.
  static func now() -> ProcessTable {
    let own = getuid()
    let ids = ((try? FileSystem.names(in: "/proc")) ?? []).compactMap { Int32($0) }
    return ProcessTable(
      entries: ids.compactMap { id in
        var status = stat()
        guard stat("/proc/\(id)", &status) == 0, status.st_uid == own else { return nil }
        func words(_ name: String) -> [String] {
          (SystemText.contents("/proc/\(id)/\(name)") ?? "").split(separator: "\0")
            .map(String.init)
        }
        // pid (name) state parent …; the name may contain spaces and parentheses.
        let fields = SystemText.contents("/proc/\(id)/stat") ?? ""
        guard let start = fields.firstIndex(of: "("), let end = fields.lastIndex(of: ")") else {
          return nil
        }
        let rest = fields[fields.index(after: end)...].split(separator: " ")
        guard rest.count > 1, let parent = Int32(rest[1]) else { return nil }
        return Entry(
          id: id, parent: parent, name: String(fields[fields.index(after: start)..<end]),
          arguments: words("cmdline"),
          isRank: words("environ").contains {
            $0.hasPrefix("OMPI_COMM_WORLD_RANK=") || $0.hasPrefix("PMI_RANK=")
          },
          mapped: mapped(SystemText.contents("/proc/\(id)/maps") ?? ""))
      })
  }

  /// Returns the paths in a text of /proc/PID/maps.
  static func mapped(_ text: String) -> Set<String> {
    Set(
      text.split(separator: "\n").compactMap { line in
        line.firstIndex(of: "/").map { String(line[$0...]) }
      })
  }

  /// The ranks whose launcher has ended: another process has adopted them.
  var orphans: [HostReport.OrphanProcess] {
    let launchers = Set(
      entries.filter { Self.launchers.contains($0.name) || $0.isRank }.map(\.id))
    return entries.filter { $0.isRank && !launchers.contains($0.parent) }.map {
      HostReport.OrphanProcess(
        id: $0.id, command: $0.arguments.prefix(3).joined(separator: " "))
    }
  }

  private static let launchers = [
    "mpirun", "mpiexec", "orterun", "orted", "prterun", "prted", "srun", "slurmstepd",
    "hydra_pmi_proxy",
  ]

  /// Returns true when a process has mapped `path`, or a file below it.
  func uses(_ path: String) -> Bool {
    entries.contains { entry in
      entry.mapped.contains { $0 == path || $0.hasPrefix(path + "/") }
    }
  }
}

extension HostReport.Leftovers {
  /// The shared files in /dev/shm and the session folders in `temporary` that are this user's, older
  /// than a minute and in no process' memory, and the ranks without a launcher.
  ///
  /// Open MPI maps files of its session folder into `mpirun`, `orted` and every rank, for as long as
  /// they run.
  package static func ofThisHost(
    temporary: String = HostReport.temporaryFolder, shared: String = "/dev/shm",
    olderThan seconds: Int = 60
  ) -> Self {
    let table = ProcessTable.now()
    let sessions = names(in: temporary) { $0.hasPrefix("ompi.") }.flatMap { session in
      names(in: session) { $0.hasPrefix("pid.") || $0.hasPrefix("jf.") }
    }
    let segments = names(in: shared) {
      ["vader_segment.", "sm_segment.", "osc_rdma", "open_mpi."].contains(where: $0.hasPrefix)
    }
    let now = time(nil)
    var found = Self(processes: table.orphans)
    for path in segments + sessions {
      var status = stat()
      guard lstat(path, &status) == 0, status.st_uid == getuid(),
        now - status.st_mtim.tv_sec > seconds, !table.uses(path)
      else { continue }
      found.paths.append(path)
      if segments.contains(path) { found.bytes += Int(status.st_blocks) * 512 }
    }
    return found
  }

  /// Returns the paths in `folder`, as /proc/PID/maps has them, whose names are wanted.
  private static func names(in folder: String, where isWanted: (String) -> Bool) -> [String] {
    guard let resolved = realpath(folder, nil) else { return [] }
    defer { free(resolved) }
    let folder = String(cString: resolved)
    return ((try? FileSystem.names(in: folder)) ?? []).filter(isWanted).map {
      FileSystem.join(folder, $0)
    }
  }
}
