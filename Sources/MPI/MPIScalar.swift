internal import CMPI

/// A number type that MPI can send (MPI Standard 3.1, section 3.2.2).
package protocol MPIScalar: BitwiseCopyable, Sendable {
  /// The value of the elements of a new buffer.
  static var zero: Self { get }
  /// The MPI datatype of the element.
  static var element: MPIElement { get }
}

/// The MPI datatypes of the number types here, without the handles of a library.
package enum MPIElement: Sendable {
  case float, double, int32, int64, uint8, uint16, uint64
}

extension MPIScalar {
  /// The handle of the MPI datatype.
  static var datatype: MPI_Datatype {
    switch element {
    case .float: cmpi_float()
    case .double: cmpi_double()
    case .int32: cmpi_int32()
    case .int64: cmpi_int64()
    case .uint8: cmpi_uint8()
    case .uint16: cmpi_uint16()
    case .uint64: cmpi_uint64()
    }
  }
}

/// A number type that MPI can also add and compare (section 5.9.2).
///
/// `UInt16` does not conform: it holds the bits of a bf16, which cannot be added as integers.
package protocol MPIReducible: MPIScalar {}

extension Float: MPIReducible {
  /// MPI_FLOAT.
  package static var element: MPIElement { .float }
}

extension Double: MPIReducible {
  /// MPI_DOUBLE.
  package static var element: MPIElement { .double }
}

extension Int32: MPIReducible {
  /// MPI_INT32_T.
  package static var element: MPIElement { .int32 }
}

extension Int64: MPIReducible {
  /// MPI_INT64_T.
  package static var element: MPIElement { .int64 }
}

extension UInt8: MPIReducible {
  /// MPI_UINT8_T.
  package static var element: MPIElement { .uint8 }
}

extension UInt64: MPIReducible {
  /// MPI_UINT64_T.
  package static var element: MPIElement { .uint64 }
}

extension UInt16: MPIScalar {
  /// MPI_UINT16_T.
  package static var element: MPIElement { .uint16 }
}
