import Files
import Glibc

/// The folder of a run as one host sees it.
package struct FolderFacts: Codable, Equatable, Sendable {
  package var path: String
  /// The reason why the host cannot write there; nil when it can.
  package var refusal: String?
  package var volume: HostReport.Volume
  /// Bytes per second of a file written and made durable.
  package var speed: Double
  /// The hosts whose files do not appear here within ``SharedFolderProbe/patience``.
  package var unseen: [String]

  package init(
    path: String, refusal: String? = nil, volume: HostReport.Volume, speed: Double,
    unseen: [String] = []
  ) {
    self.path = path
    self.refusal = refusal
    self.volume = volume
    self.speed = speed
    self.unseen = unseen
  }
}

/// A file that one host writes into the folder of a run, and that the others look for.
///
/// It is named `.apus-doctor-TOKEN` and removed at the end of the probe.
final class SharedFolderProbe {
  /// The seconds within which a file of one host must appear on the others.
  static let patience = 3.0
  /// The size of a file that measures the speed.
  static let bytes = 16 << 20

  private let folder: String
  private var written: String?

  init(folder: String) {
    self.folder = folder
  }

  private func path(_ token: String) -> String { FileSystem.join(folder, ".apus-doctor-" + token) }

  /// Writes `bytes` to the file of `token`, and measures the time until they are durable.
  func write(_ token: String, bytes: Int) -> FolderFacts {
    let path = path(token)
    var facts = FolderFacts(path: folder, volume: .init(at: folder), speed: 0)
    let start = ContinuousClock.now
    do throws(StorageError) {
      let descriptor = try FileSystem.call("create", path) {
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
      }
      written = path
      defer { close(descriptor) }
      let block = [UInt8](repeating: 0x5A, count: 1 << 20)
      var done = 0
      while done < bytes {
        done += try FileSystem.call("write", path) {
          Glibc.write(descriptor, block, min(block.count, bytes - done))
        }
      }
      try FileSystem.call("write", path) { fsync(descriptor) }
      facts.speed = Double(bytes) / (ContinuousClock.now - start).asSeconds
    } catch {
      facts.refusal = error.reason
    }
    return facts
  }

  /// Returns those of `tokens` whose files have not appeared within ``patience``.
  func missing(_ tokens: [String]) -> [String] {
    let end = ContinuousClock.now + .seconds(Self.patience)
    var missing = tokens
    while true {
      // By name, because a listing may come from a cache.
      missing = missing.filter { access(path($0), F_OK) != 0 }
      if missing.isEmpty || ContinuousClock.now > end { return missing }
      usleep(50_000)
    }
  }

  func remove() {
    if let written { unlink(written) }
  }
}

extension Duration {
  var asSeconds: Double {
    Double(components.seconds) + 1e-18 * Double(components.attoseconds)
  }
}
