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
