internal import CMPI

/// How the threads of a rank may call MPI (MPI Standard 3.1, section 12.4.3), in rising order.
public enum ThreadLevel: Int, Sendable, Comparable, CustomStringConvertible {
  /// The rank has one thread.
  case single
  /// Only the thread that started MPI calls it.
  case funneled
  /// Any thread calls, one at a time.
  case serialized
  /// Any thread calls at any time.
  case multiple

  /// Whether `left` allows less than `right`.
  public static func < (left: Self, right: Self) -> Bool {
    left.rawValue < right.rawValue
  }

  /// The name of MPI's constant.
  public var description: String {
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

  /// The Standard orders the four constants, without fixing their values.
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
