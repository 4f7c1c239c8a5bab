extension Precision {
  /// Bytes per weight: fp32, plus a bf16 copy when products read bf16.
  package var weightBytes: Int { self == .bf16 ? 6 : 4 }

  /// Bytes of a number that only products read, such as an element of the KV cache.
  package var operandBytes: Int { self == .bf16 ? 2 : 4 }
}
