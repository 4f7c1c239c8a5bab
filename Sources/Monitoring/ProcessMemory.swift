import Glibc

/// The memory of this process, as the kernel counts it.
public enum ProcessMemory {
  /// Bytes of physical memory in use now; nil where /proc does not say.
  public static func resident() -> Int? {
    TextFile.contents("/proc/self/status").flatMap { bytes(of: "VmRSS", in: $0) }
  }

  /// The most bytes of physical memory that were ever in use; nil where /proc does not say.
  public static func peak() -> Int? {
    TextFile.contents("/proc/self/status").flatMap { bytes(of: "VmHWM", in: $0) }
  }

  /// The most bytes this process may have: the host's memory, or less where a control group (a
  /// container, a batch job) allows less.
  public static func available() -> Int {
    let host = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    return limits(of: TextFile.contents("/proc/self/cgroup") ?? "").reduce(host, min)
  }

  /// What the control group (version 2) that `text` of /proc/self/cgroup names, and those it lies in,
  /// allow.
  private static func limits(of text: String) -> [Int] {
    groups(in: text).compactMap { group in
      TextFile.contents("/sys/fs/cgroup\(group)/memory.max")
        .flatMap { Int($0.prefix { $0 != "\n" }) }
    }
  }

  /// The paths of the control group and those around it: `0::/a/b` gives /a/b, /a and the root's.
  static func groups(in text: String) -> [String] {
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("0::/") }) else {
      return []
    }
    let names = line.dropFirst(4).split(separator: "/")
    return (0...names.count).reversed().map { names.prefix($0).map { "/\($0)" }.joined() }
  }

  /// The field `name` of a /proc status text, whose lines read `VmRSS:     1234 kB`.
  static func bytes(of name: String, in status: String) -> Int? {
    for line in status.split(separator: "\n") {
      let words = line.split { $0 == " " || $0 == "\t" }
      guard words.count == 3, words[0] == name + ":", words[2] == "kB" else { continue }
      return Int(words[1]).map { $0 * 1024 }
    }
    return nil
  }
}

/// Small files of the kernel.
enum TextFile {
  /// The text of the file at `path`, at most 4 MiB of it; nil when it cannot be read.
  static func contents(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while bytes.count < 4 << 20 {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return nil }
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
