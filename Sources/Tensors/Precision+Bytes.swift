extension Precision {
  /// Bytes that a weight takes: as fp32 and, where products read bf16, once more as that.
  public var weightBytes: Int { self == .bf16 ? 6 : 4 }

  /// Bytes of a number that only products read, such as a cached key.
  public var operandBytes: Int { self == .bf16 ? 2 : 4 }
}
