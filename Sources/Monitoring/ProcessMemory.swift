import Files
import Glibc

/// The memory of this process, as counted by the kernel.
package enum ProcessMemory {
  /// Resident memory in bytes; nil if /proc is not available.
  package static func resident() -> Int? {
    TextFile.contents("/proc/self/status").flatMap { bytes(of: "VmRSS", in: $0) }
  }

  /// Peak resident memory in bytes; nil if /proc is not available.
  package static func peak() -> Int? {
    TextFile.contents("/proc/self/status").flatMap { bytes(of: "VmHWM", in: $0) }
  }

  /// Returns the memory limit of this process in bytes: its part of the host's memory, or less in a
  /// control group (a container, a batch job) or by a limit of its address space (`ulimit -v`).
  ///
  /// - Parameter ranks: The number of processes on this host that share its memory evenly.
  package static func available(ranks: Int = 1) -> Int {
    let host = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
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

  /// The memory limits, in bytes, of the control group (version 2) in `text`, the content of
  /// /proc/self/cgroup, and of the groups around it.
  private static func limits(of text: String) -> [Int] {
    groups(in: text).compactMap { group in
      TextFile.contents("/sys/fs/cgroup\(group)/memory.max")
        .flatMap { Int($0.prefix { $0 != "\n" }) }
    }
  }

  /// The paths of the control group and those around it: `0::/a/b` gives /a/b, /a and the root's,
  /// which is empty.
  static func groups(in text: String) -> [String] {
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("0::/") }) else {
      return []
    }
    let names = line.dropFirst(4).split(separator: "/")
    return (0...names.count).reversed().map { names.prefix($0).map { "/\($0)" }.joined() }
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
