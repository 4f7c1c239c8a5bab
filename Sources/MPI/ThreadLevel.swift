internal import CMPI

/// The level of MPI's support for threads (MPI Standard 3.1, section 12.4.3), in ascending order.
package enum ThreadLevel: Sendable, Comparable, CustomStringConvertible {
  /// The rank has one thread.
  case single
  /// Only the thread that started MPI may call it.
  case funneled
  /// Any thread may call MPI, one at a time.
  case serialized
  /// Any thread may call MPI at any time.
  case multiple

  /// The name of MPI's constant.
  package var description: String {
    switch self {
    case .single: "MPI_THREAD_SINGLE"
    case .funneled: "MPI_THREAD_FUNNELED"
    case .serialized: "MPI_THREAD_SERIALIZED"
    case .multiple: "MPI_THREAD_MULTIPLE"
    }
  }

  var code: Int32 {
    switch self {
    case .single: cmpi_thread_single()
    case .funneled: cmpi_thread_funneled()
    case .serialized: cmpi_thread_serialized()
    case .multiple: cmpi_thread_multiple()
    }
  }

  /// Converts a constant of MPI.
  ///
  /// The Standard fixes the order of the four constants, not their values.
  init(code: Int32) {
    self =
      switch code {
      case cmpi_thread_multiple()...: .multiple
      case cmpi_thread_serialized()...: .serialized
      case cmpi_thread_funneled()...: .funneled
      default: .single
      }
  }
}
