internal import CMPI

/// A number type that MPI can send (MPI Standard 3.1, section 3.2.2).
package protocol MPIScalar: BitwiseCopyable, Sendable {
  /// The value of the elements of a new buffer.
  static var zero: Self { get }
  /// The MPI datatype.
  static var datatype: OpaquePointer { get }
}

/// A number type that MPI can also add and compare (section 5.9.2).
///
/// `UInt16` does not conform: it holds the bits of a bf16, which cannot be added as integers.
package protocol MPIReducible: MPIScalar {}

extension Float: MPIReducible {
  /// MPI_FLOAT.
  package static var datatype: OpaquePointer { cmpi_float() }
}

extension Double: MPIReducible {
  /// MPI_DOUBLE.
  package static var datatype: OpaquePointer { cmpi_double() }
}

extension Int32: MPIReducible {
  /// MPI_INT32_T.
  package static var datatype: OpaquePointer { cmpi_int32() }
}

extension Int64: MPIReducible {
  /// MPI_INT64_T.
  package static var datatype: OpaquePointer { cmpi_int64() }
}

extension UInt8: MPIReducible {
  /// MPI_UINT8_T.
  package static var datatype: OpaquePointer { cmpi_uint8() }
}

extension UInt64: MPIReducible {
  /// MPI_UINT64_T.
  package static var datatype: OpaquePointer { cmpi_uint64() }
}

extension UInt16: MPIScalar {
  /// MPI_UINT16_T.
  package static var datatype: OpaquePointer { cmpi_uint16() }
}
