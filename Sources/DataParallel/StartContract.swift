import MPI

/// What every rank must have in common before the first step: configuration, parameter layout,
/// library versions, CPU kernels.
public struct StartContract: Sendable {
  /// A rank that differs from rank 0.
  public struct Mismatch: Error, Equatable, Sendable, CustomStringConvertible {
    /// Which rank.
    public let rank: Int
    /// The machine it runs on.
    public let host: String
    /// The term that differs.
    public let term: String
    /// What it has.
    public let found: String
    /// What rank 0 has.
    public let expected: String

    /// One sentence: what, where, why, what to do.
    public var description: String {
      "Rank \(rank) on \(host) has \(term) \"\(found)\" where rank 0 has \"\(expected)\": start "
        + "every rank with the same program, libraries and configuration."
    }
  }

  let terms: [(name: String, value: String)]

  /// A contract of named terms.
  public init(_ terms: [(name: String, value: String)]) {
    self.terms = terms
  }

  /// Compares all ranks with rank 0.
  ///
  /// Collective; when it throws, it throws on every rank.
  public func agree(over world: Communicator) throws {
    // Terms and values by length, so that any text may stand in them.
    let host = try Communicator.hostName
    let mine = (terms.flatMap { [$0.name, $0.value] } + [host]).map {
      Array($0.utf8)
    }
    let packed = mine.flatMap { word in
      withUnsafeBytes(of: Int64(word.count).littleEndian) { Array($0) } + word
    }
    var expected: [String] = []
    for (rank, bytes) in try world.allGatherV(packed).enumerated() {
      let theirs = StartContract.unpack(bytes)
      guard let host = theirs.last else { continue }
      // Rank 0's own terms come first in the loop: everyone keeps them as the measure.
      if rank == 0 { expected = theirs }
      let (found, wanted) = (theirs.dropLast(), expected.dropLast())
      for (place, pair) in zip(found, wanted).enumerated() where pair.0 != pair.1 {
        throw Mismatch(
          rank: rank, host: host, term: place % 2 == 1 ? found[place - 1] : "a term called",
          found: pair.0, expected: pair.1)
      }
      if found.count != wanted.count {
        throw Mismatch(
          rank: rank, host: host, term: "number of terms", found: "\(found.count / 2)",
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
