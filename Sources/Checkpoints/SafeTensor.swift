/// One tensor of a safetensors file: a name, a type, a shape, and its bytes in row-major order,
/// little-endian.
///
/// The bytes are borrowed: from the caller when writing, from the ``SafeTensorsFile`` when reading,
/// and then they need not be aligned to the element (`loadUnaligned`, or copy).
public struct SafeTensor {
  /// The element types of the format that Apus reads and writes; the raw values are its names.
  public enum DType: String, Sendable, CaseIterable {
    case f64 = "F64", f32 = "F32", f16 = "F16", bf16 = "BF16"
    case i64 = "I64", i32 = "I32", i16 = "I16", i8 = "I8"
    case u64 = "U64", u32 = "U32", u16 = "U16", u8 = "U8"
    case bool = "BOOL"

    /// Bytes of one element.
    public var size: Int {
      switch self {
      case .f64, .i64, .u64: 8
      case .f32, .i32, .u32: 4
      case .f16, .bf16, .i16, .u16: 2
      case .i8, .u8, .bool: 1
      }
    }

    /// Bytes of a tensor of this shape, or nil if they are more than an `Int` counts.
    public func byteCount(shape: [Int]) -> Int? {
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
  public let name: String
  /// The type of the elements.
  public let dtype: DType
  /// The dimensions, outermost first; none for a scalar.
  public let shape: [Int]
  /// The elements.
  public let bytes: UnsafeRawBufferPointer

  /// A tensor over memory that must outlive it.
  public init(name: String, dtype: DType, shape: [Int], bytes: UnsafeRawBufferPointer) {
    precondition(
      shape.allSatisfy { $0 >= 0 } && dtype.byteCount(shape: shape) == bytes.count,
      "tensor \(name): \(bytes.count) bytes do not fill \(dtype.rawValue) \(shape)")
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }
}
