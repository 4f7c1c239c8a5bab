internal import Dispatch
internal import Glibc

/// Watches the other ranks of this host while this one waits for them in `MPI_Init`.
///
/// Open MPI waits for ever for a rank that ends without joining: another program, or a command of
/// this one that runs on a single rank. The watch ends this process with a sentence and exit code 2,
/// and `mpirun` then ends the others.
final class JoinWatch {
  private let timer: any DispatchSourceTimer
  /// The checks in a row in which a rank was missing; `mpirun` starts ranks one after another.
  private final class Misses: @unchecked Sendable {
    // Sendable: only the timer's handler, one call after another, uses it.
    var count = 0
  }

  /// Starts to watch; nil when `mpirun` did not start this process itself, so that its other ranks
  /// cannot be found.
  init?() {
    guard let size = Self.number("OMPI_COMM_WORLD_LOCAL_SIZE"), size > 1,
      let own = Self.number("OMPI_COMM_WORLD_LOCAL_RANK")
    else { return nil }
    let parent = getppid()
    let name = Self.contents("/proc/\(parent)/comm").map { String(decoding: $0, as: UTF8.self) }
    guard let name, ["mpirun", "mpiexec", "orterun", "orted"].contains(name.prefix { $0 != "\n" })
    else { return nil }
    let misses = Misses()
    timer = DispatchSource.makeTimerSource(queue: .global())
    timer.schedule(deadline: .now() + 2, repeating: 1)
    timer.setEventHandler {
      let present = Self.localRanks(of: parent)
      guard let missing = (0..<size).first(where: { !present.contains($0) }) else {
        misses.count = 0
        return
      }
      misses.count += 1
      guard misses.count > 1, present.min() == own else { return }
      var name = [CChar](repeating: 0, count: 256)
      gethostname(&name, name.count - 1)
      let host = String(
        decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let sentence =
        "apus: rank number \(missing) of \(host), counted from 0, ended before it joined the others: "
        + "start every rank with the same command of apus.\n"
      sentence.utf8CString.withUnsafeBytes {
        _ = write(STDERR_FILENO, $0.baseAddress, $0.count - 1)
      }
      _exit(2)
    }
    timer.resume()
  }

  /// Ends the watch.
  func end() { timer.cancel() }

  private static func number(_ name: String) -> Int? {
    getenv(name).flatMap { Int(String(cString: $0)) }
  }

  /// Returns the local numbers of the ranks that are children of the process `parent`.
  private static func localRanks(of parent: pid_t) -> Set<Int> {
    let list = contents("/proc/\(parent)/task/\(parent)/children") ?? []
    let key = Array("OMPI_COMM_WORLD_LOCAL_RANK=".utf8)
    var ranks: Set<Int> = []
    for child in String(decoding: list, as: UTF8.self).split(separator: " ") {
      for entry in (contents("/proc/\(child)/environ") ?? []).split(separator: 0)
      where entry.starts(with: key) {
        if let rank = Int(String(decoding: entry.dropFirst(key.count), as: UTF8.self)) {
          ranks.insert(rank)
        }
      }
    }
    return ranks
  }

  private static func contents(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while case let count = read(descriptor, &chunk, chunk.count), count > 0 {
      bytes += chunk[..<count]
    }
    return bytes
  }
}
