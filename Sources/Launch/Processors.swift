import Files

/// The processors of a machine.
package struct Processors: Equatable, Sendable {
  /// The number of physical cores.
  package let cores: Int
  /// The number of hardware threads, at least one per core.
  package let threads: Int

  package init(cores: Int, threads: Int) {
    self.cores = cores
    self.threads = threads
  }

  /// The processors of this machine that are online, from /sys.
  package static let ofThisMachine: Processors = {
    let folder = "/sys/devices/system/cpu"
    var (cores, threads) = (Set<String>(), 0)
    for name in (try? FileSystem.names(in: folder)) ?? [] {
      guard name.hasPrefix("cpu"), Int(name.dropFirst(3)) != nil else { continue }
      func figure(_ key: String) -> String? {
        (try? InputFile.contents(of: "\(folder)/\(name)/topology/\(key)"))
          .map { String(decoding: $0, as: UTF8.self) }
      }
      // A processor that is offline has no topology.
      guard let core = figure("core_id"), let socket = figure("physical_package_id") else {
        continue
      }
      cores.insert("\(socket) \(core)")
      threads += 1
    }
    return Processors(cores: max(1, cores.count), threads: max(1, threads))
  }()
}
