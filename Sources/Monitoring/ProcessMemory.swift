import Files
import Glibc

/// The memory of this process, as counted by the kernel.
package enum ProcessMemory {
  /// The memory in bytes of a host that a run is planned for, in place of this one's; nil otherwise.
  @TaskLocal package static var planned: Int?

  /// Resident memory in bytes; nil if /proc is not available.
  package static func resident() -> Int? {
    TextFile.contents("/proc/self/status").flatMap { bytes(of: "VmRSS", in: $0) }
  }

  /// Peak resident memory in bytes; nil if /proc is not available.
  package static func peak() -> Int? {
    TextFile.contents("/proc/self/status").flatMap { bytes(of: "VmHWM", in: $0) }
  }

  /// Returns the memory that this process may use, in bytes: `planned`, or its part of the host's memory that no
  /// process uses, or less in a control group (a container, a batch job) or by a limit of its address
  /// space (`ulimit -v`).
  ///
  /// - Parameter ranks: The number of processes on this host that share its memory evenly.
  package static func available(ranks: Int = 1) -> Int {
    if let planned { return planned / ranks }
    let host =
      TextFile.contents("/proc/meminfo").flatMap { bytes(of: "MemAvailable", in: $0) }
      ?? sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    let shared = limits(of: TextFile.contents("/proc/self/cgroup") ?? "").reduce(host, min)
    return min(shared / ranks, addressSpaceLeft())
  }

  /// Returns the bytes that this process may still map; `Int.max` without a limit.
  package static func addressSpaceLeft() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      let most = Int(exactly: limit.rlim_cur)
    else { return .max }
    let used = TextFile.contents("/proc/self/status").flatMap { bytes(of: "VmSize", in: $0) } ?? 0
    return max(0, most - used)
  }

  /// The memory limits, in bytes, of the control groups in `text`, the content of /proc/self/cgroup,
  /// and of the groups around them.
  private static func limits(of text: String) -> [Int] {
    limitFiles(in: text).compactMap { file in
      TextFile.contents("/sys/fs/cgroup\(file)").flatMap { Int($0.prefix { $0 != "\n" }) }
    }
  }

  /// The files with the limits of the control groups and those around them: `0::/a` of version 2
  /// gives /a/memory.max and /memory.max, `5:memory:/a` of version 1 gives
  /// /memory/a/memory.limit_in_bytes and /memory/memory.limit_in_bytes.
  static func limitFiles(in text: String) -> [String] {
    text.split(separator: "\n").flatMap { line -> [String] in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3, fields[2].hasPrefix("/") else { return [] }
      let isFirst = fields[1].split(separator: ",").contains("memory")
      guard isFirst || fields[0] == "0" && fields[1].isEmpty else { return [] }
      let names = fields[2].split(separator: "/")
      return (0...names.count).reversed().map { count in
        (isFirst ? "/memory" : "") + names.prefix(count).map { "/\($0)" }.joined()
          + (isFirst ? "/memory.limit_in_bytes" : "/memory.max")
      }
    }
  }

  /// The field `name` of a /proc status text in bytes; its lines have the form `VmRSS:     1234
  /// kB`.
  static func bytes(of name: String, in status: String) -> Int? {
    for line in status.split(separator: "\n") {
      let words = line.split { $0 == " " || $0 == "\t" }
      guard words.count == 3, words[0] == name + ":", words[2] == "kB" else { continue }
      return Int(words[1]).map { $0 * 1024 }
    }
    return nil
  }
}

/// Reading of small text files, such as those in /proc.
enum TextFile {
  /// The text of the file at `path`, up to 4 MiB; nil if it cannot be read.
  static func contents(_ path: String) -> String? {
    (try? InputFile(path).contents(limit: 4 << 20)).map { String(decoding: $0, as: UTF8.self) }
  }
}
