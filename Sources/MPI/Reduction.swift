internal import CMPI

/// The operation that combines the ranks' elements in a reduction (MPI Standard 3.1, section
/// 5.9.2).
package enum Reduction: Sendable, CaseIterable {
  /// MPI_SUM; MPI chooses the order of the additions, so the last bits depend on the number of
  /// ranks.
  case sum
  /// MPI_MAX; MPICH 4.0 compares unsigned numbers as signed ones, so pass none of the upper half.
  case max
  /// MPI_MIN; with the same limit.
  case min

  var handle: MPI_Op {
    switch self {
    case .sum: cmpi_sum()
    case .max: cmpi_max()
    case .min: cmpi_min()
    }
  }
}
