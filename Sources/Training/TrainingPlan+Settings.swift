import Checkpoints
import Files
import Tensors

extension TrainingPlan {
  /// The settings that decide the bits of the weights: the keys that say so at their declaration,
  /// the phase's data and models, and the arithmetic of this host.
  ///
  /// The start-up contract compares them between ranks, and a resumed run with its checkpoint; each
  /// has its own entry, so that the report names only what differs.
  package var settings: [String: String] {
    [
      "precision": "\(precision)",
      "matrixLibrary": MatrixLibrary.description(for: precision),
      "kernels": MatrixLibrary.kernelLevel,
      "C library": MatrixLibrary.mathVersion,
    ].merging(keySettings) { own, _ in own }.merging(phaseSettings) { _, phase in phase }
  }

  /// A hash of the names, shapes and offsets of all parameters.
  var layoutDigest: UInt64 {
    FNV1a(Array(network.layout.summary.utf8)).value
  }

  /// The lines of the resolved configuration with their numbers, to compare ranks.
  var lines: [(name: String, value: String)] {
    resolved.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
      ("line \($0.offset + 1) of the resolved configuration", String($0.element.drop { $0 == " " }))
    }
  }
}
