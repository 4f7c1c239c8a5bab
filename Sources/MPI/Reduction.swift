internal import CMPI

/// The operation that combines the ranks' elements in a reduction (MPI Standard 3.1, section
/// 5.9.2).
package enum Reduction: Sendable, CaseIterable {
  /// MPI_SUM; MPI chooses the order of the additions, so the last bits depend on the number of
  /// ranks.
  case sum
  /// MPI_MAX.
  case max
  /// MPI_MIN.
  case min

  var handle: MPI_Op {
    switch self {
    case .sum: cmpi_sum()
    case .max: cmpi_max()
    case .min: cmpi_min()
    }
  }
}
