import Configuration

/// The first keys of every configuration: the run folder and the seed.
package struct RunOptions: Sendable {
  /// The run folder.
  package let run: String
  /// The seed of all random numbers.
  package let seed: Int

  /// - Parameter folder: The default of `run`.
  package init(_ reader: inout ConfigurationReader, run folder: String) throws(ConfigurationError) {
    run = try reader.string(
      "run", default: folder, decidesBits: false, help: "run folder, relative to the current folder"
    )
    seed = try reader.integer(
      "seed", default: 1, in: 0..., help: "seed of weights, data order, dropout and samples")
    if run.isEmpty {
      throw reader.rejection(of: "run", because: "an empty path is not a folder; name one")
    }
  }
}
