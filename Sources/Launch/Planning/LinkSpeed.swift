import Files

/// The speed of this machine's network interfaces.
package enum LinkSpeed {
  /// Returns the bytes per second of the fastest interface that is up; nil where the system does not
  /// tell, as in virtual machines.
  package static func fastest(in folder: String = "/sys/class/net") -> Double? {
    let names = (try? FileSystem.names(in: folder)) ?? []
    let speeds = names.compactMap { name -> Double? in
      guard name != "lo", text("\(folder)/\(name)/operstate") == "up",
        let megabits = text("\(folder)/\(name)/speed").flatMap({ Double($0) }), megabits > 0
      else { return nil }
      return megabits * 1e6 / 8
    }
    return speeds.max()
  }

  private static func text(_ path: String) -> String? {
    (try? InputFile(path).contents(limit: 4096)).map {
      String(decoding: $0, as: UTF8.self).trimmed
    }
  }
}
