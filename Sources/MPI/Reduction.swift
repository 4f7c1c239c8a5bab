internal import CMPI

/// How a reduction combines the ranks' elements (MPI Standard 3.1, section 5.9.2).
public enum Reduction: Sendable, CaseIterable {
  /// MPI_SUM; the order of a sum is MPI's choice, so floating-point bits vary with the ranks.
  case sum
  /// MPI_MAX.
  case max
  /// MPI_MIN.
  case min

  var handle: OpaquePointer {
    switch self {
    case .sum: cmpi_sum()
    case .max: cmpi_max()
    case .min: cmpi_min()
    }
  }
}
