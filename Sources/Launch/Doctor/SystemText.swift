import Files
import Glibc

/// Facts in the text files of the kernel.
enum SystemText {
  /// Returns the text of a file; nil where it cannot be read.
  ///
  /// A file of /proc has no size, and a read returns a page of it: Foundation would stop there.
  static func contents(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count == 0 ? String(decoding: bytes, as: UTF8.self) : nil }
      bytes += chunk[..<count]
    }
  }

  /// Returns the first number in the file at `path`.
  static func number(_ path: String) -> Int? {
    contents(path).flatMap { Int($0.prefix { $0.isNumber || $0 == "-" }) }
  }

  /// Returns the bytes of `key` in /proc/meminfo.
  static func bytes(of key: String, inMeminfo text: String) -> Int? {
    let line = text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
    return line?.split(separator: " ").compactMap { Int($0) }.first.map { $0 << 10 }
  }

  /// Returns the numbers of a list of the kernel, such as 0-3,8.
  static func list(_ text: String) -> [Int] {
    text.split(separator: ",").flatMap { part -> [Int] in
      let ends = part.split(separator: "-").compactMap {
        Int($0.filter { !$0.isWhitespace })
      }
      guard let first = ends.first, let last = ends.last, first <= last else { return [] }
      return Array(first...last)
    }
  }

  /// Returns the type of the file system that contains `path`, by the longest mount point.
  static func type(of path: String, inMounts text: String) -> String? {
    var found: (point: Substring, type: Substring)?
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 2 else { continue }
      let point = words[1]
      let contains = path == point || path.hasPrefix(point == "/" ? "/" : point + "/")
      // Of several mounts at one point, the last one is seen.
      if contains, point.count >= found?.point.count ?? 0 { found = (point, words[2]) }
    }
    return found.map { String($0.type) }
  }

  /// Returns the folder of the cgroup `controller` in version 1, or of the unified hierarchy for "".
  static func cgroup(of controller: String, inCgroup text: String) -> String? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let controllers = parts[1].split(separator: ",").map(String.init)
      if controllers.contains(controller) || controller.isEmpty && parts[1].isEmpty {
        return String(parts[2])
      }
    }
    return nil
  }
}

/// The limits of the cgroup of this process.
struct CgroupLimits: Equatable {
  /// Cores' time; nil without a limit.
  var cores: Double?
  /// Bytes; nil without a limit.
  var memory: Int?
  /// The bytes in use where there is a limit, without the cache of files.
  var used: Int?

  /// Reads the limits of this process and of the groups around it.
  ///
  /// - Parameters:
  ///   - membership: The text of /proc/self/cgroup.
  ///   - root: The folder where cgroups are mounted.
  init(membership: String, root: String = "/sys/fs/cgroup") {
    if let own = SystemText.cgroup(of: "", inCgroup: membership) {
      for folder in Self.folders(from: own, below: root) {
        let words = SystemText.contents("\(folder)/cpu.max")?.split(separator: " ") ?? []
        if words.count == 2, let quota = Double(words[0]),
          let period = Double(words[1].filter { $0.isNumber }), period > 0
        {
          cores = min(cores ?? .infinity, quota / period)
        }
        readMemory(folder, limit: "memory.max", usage: "memory.current", cache: "inactive_file")
      }
    }
    if let own = SystemText.cgroup(of: "cpu", inCgroup: membership) {
      for folder in Self.folders(from: own, below: "\(root)/cpu") {
        if let quota = SystemText.number("\(folder)/cpu.cfs_quota_us"), quota > 0,
          let period = SystemText.number("\(folder)/cpu.cfs_period_us"), period > 0
        {
          cores = min(cores ?? .infinity, Double(quota) / Double(period))
        }
      }
    }
    if let own = SystemText.cgroup(of: "memory", inCgroup: membership) {
      for folder in Self.folders(from: own, below: "\(root)/memory") {
        readMemory(
          folder, limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes",
          cache: "total_inactive_file")
      }
    }
  }

  private mutating func readMemory(
    _ folder: String, limit: String, usage: String, cache: String
  ) {
    // Version 1 has a number near 2⁶³ for no limit, version 2 the word "max".
    guard let bytes = SystemText.number("\(folder)/\(limit)"), 1..<(1 << 60) ~= bytes,
      bytes < memory ?? .max
    else { return }
    let statistics = SystemText.contents("\(folder)/memory.stat") ?? ""
    let line = statistics.split(separator: "\n").first { $0.hasPrefix(cache + " ") }
    let cached = line.flatMap { Int($0.dropFirst(cache.count + 1)) } ?? 0
    memory = bytes
    used = max(0, (SystemText.number("\(folder)/\(usage)") ?? 0) - cached)
  }

  /// Returns the folder of the group `path` and of those around it; a container sees its own group at
  /// the root.
  private static func folders(from path: String, below root: String) -> [String] {
    var folders = [root]
    for name in path.split(separator: "/") {
      folders.append(FileSystem.join(folders[folders.count - 1], String(name)))
    }
    return folders
  }
}
