import Configuration

/// Where a run keeps its files, and the seed of all that is random in it: the first keys of every
/// configuration.
public struct RunPlace: Sendable {
  /// The run folder.
  public let run: String
  /// Seed of everything random.
  public let seed: Int

  /// Reads both keys.
  ///
  /// - Parameter run: The folder when the key is absent.
  public init(_ reader: inout ConfigurationReader, run folder: String) throws(ConfigurationError) {
    run = try reader.string(
      "run", default: folder, help: "run folder, relative to the current folder")
    seed = try reader.integer(
      "seed", default: 1, in: 0..., help: "seed of weights, data order, dropout and samples")
    if run.isEmpty {
      throw reader.rejection(of: "run", because: "an empty path is no folder; name one")
    }
  }
}
