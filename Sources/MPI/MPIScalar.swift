internal import CMPI

/// A number that MPI can carry (MPI Standard 3.1, section 3.2.2).
public protocol MPIScalar: BitwiseCopyable, Sendable {
  /// A number to fill a fresh buffer with.
  static var zero: Self { get }
  /// MPI's handle for the type.
  static var datatype: OpaquePointer { get }
}

/// A number that MPI can add and compare as well (section 5.9.2).
///
/// `UInt16` is not one: it carries the bits of a bf16, and their sum as integers is nonsense.
public protocol MPIReducible: MPIScalar {}

extension Float: MPIReducible {
  /// MPI_FLOAT.
  public static var datatype: OpaquePointer { cmpi_float() }
}

extension Double: MPIReducible {
  /// MPI_DOUBLE.
  public static var datatype: OpaquePointer { cmpi_double() }
}

extension Int32: MPIReducible {
  /// MPI_INT32_T.
  public static var datatype: OpaquePointer { cmpi_int32() }
}

extension Int64: MPIReducible {
  /// MPI_INT64_T.
  public static var datatype: OpaquePointer { cmpi_int64() }
}

extension UInt8: MPIReducible {
  /// MPI_UINT8_T.
  public static var datatype: OpaquePointer { cmpi_uint8() }
}

extension UInt64: MPIReducible {
  /// MPI_UINT64_T.
  public static var datatype: OpaquePointer { cmpi_uint64() }
}

extension UInt16: MPIScalar {
  /// MPI_UINT16_T.
  public static var datatype: OpaquePointer { cmpi_uint16() }
}
