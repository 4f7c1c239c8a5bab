/// One tensor of a safetensors file: a name, a type, a shape, and its bytes in row-major order,
/// little-endian.
///
/// The bytes are borrowed: from the caller when writing, from the ``SafeTensorsFile`` when reading;
/// bytes from a file may be unaligned (use `loadUnaligned`, or copy).
package struct SafeTensor {
  /// The element types that Apus reads and writes; the raw values are their names in the format.
  package enum DType: String, Sendable, CaseIterable {
    case f64 = "F64", f32 = "F32", f16 = "F16", bf16 = "BF16"
    case i64 = "I64", i32 = "I32", i16 = "I16", i8 = "I8"
    case u64 = "U64", u32 = "U32", u16 = "U16", u8 = "U8"
    case bool = "BOOL"

    /// Size of one element in bytes.
    package var size: Int {
      switch self {
      case .f64, .i64, .u64: 8
      case .f32, .i32, .u32: 4
      case .f16, .bf16, .i16, .u16: 2
      case .i8, .u8, .bool: 1
      }
    }

    /// Returns the size in bytes of a tensor of this shape; nil if it overflows an `Int`.
    package func byteCount(shape: [Int]) -> Int? {
      var count = size
      for dimension in shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
        if overflow { return nil }
        count = product
      }
      return count
    }
  }

  /// The name, unique in its file.
  package let name: String
  /// The type of the elements.
  package let dtype: DType
  /// The dimensions, outermost first; none for a scalar.
  package let shape: [Int]
  /// The elements.
  package let bytes: UnsafeRawBufferPointer

  /// A tensor over `bytes`, which must outlive it.
  package init(name: String, dtype: DType, shape: [Int], bytes: UnsafeRawBufferPointer) {
    precondition(
      shape.allSatisfy { $0 >= 0 } && dtype.byteCount(shape: shape) == bytes.count,
      "tensor \(name): \(bytes.count) bytes do not fill \(dtype.rawValue) \(shape)")
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }
}
