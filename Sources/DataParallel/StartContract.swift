import MPI

/// The settings that all ranks must have in common before the first step: configuration, parameter
/// layout, library versions, CPU kernels.
package struct StartContract: Sendable {
  /// The error when a rank's settings differ from those of rank 0.
  package struct Mismatch: Error, Equatable, Sendable, CustomStringConvertible {
    /// The rank that differs.
    package let rank: Int
    /// The name of its host.
    package let host: String
    /// The name of the setting that differs.
    package let setting: String
    /// The rank's value.
    package let found: String
    /// The value of rank 0.
    package let expected: String

    /// One sentence with what, where, why and what to do.
    package var description: String {
      "Rank \(rank) on \(host) has \(setting) \"\(found)\" where rank 0 has \"\(expected)\": start "
        + "every rank with the same program, libraries and configuration."
    }
  }

  let settings: [(name: String, value: String)]

  package init(_ settings: [(name: String, value: String)]) {
    self.settings = settings
  }

  /// Compares all ranks with rank 0.
  ///
  /// Collective; when it throws, it throws on every rank.
  package func agree(over world: Communicator) throws {
    // Names and values are preceded by their lengths, so that they may contain any text.
    let host = try Communicator.hostName
    let mine = (settings.flatMap { [$0.name, $0.value] } + [host]).map {
      Array($0.utf8)
    }
    let packed = mine.flatMap { word in
      withUnsafeBytes(of: Int64(word.count).littleEndian) { Array($0) } + word
    }
    var expected: [String] = []
    for (rank, bytes) in try world.allGatherV(packed).enumerated() {
      let theirs = StartContract.unpack(bytes)
      guard let host = theirs.last else { continue }
      // The loop begins with rank 0, whose settings every rank compares the others with.
      if rank == 0 { expected = theirs }
      let (found, wanted) = (theirs.dropLast(), expected.dropLast())
      for (place, pair) in zip(found, wanted).enumerated() where pair.0 != pair.1 {
        throw Mismatch(
          rank: rank, host: host, setting: place % 2 == 1 ? found[place - 1] : "a setting named",
          found: pair.0, expected: pair.1)
      }
      if found.count != wanted.count {
        throw Mismatch(
          rank: rank, host: host, setting: "number of settings", found: "\(found.count / 2)",
          expected: "\(wanted.count / 2)")
      }
    }
  }

  private static func unpack(_ bytes: [UInt8]) -> [String] {
    var words: [String] = []
    var place = 0
    while place + 8 <= bytes.count {
      let count = (0..<8).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
      place += 8
      guard count >= 0 && place + count <= bytes.count else { break }
      words.append(String(decoding: bytes[place..<place + count], as: UTF8.self))
      place += count
    }
    return words
  }
}
