import CKernels

extension Workspace {
  /// The largest number of rows of a bf16 product that uses the skinny GEMM instead of oneDNN: the
  /// products of generation, with one row per sequence, and small remainders elsewhere.
  ///
  /// oneDNN packs all of B again for every product. On a Sapphire Rapids without AMX its products
  /// took 1.5 times as long at 48 rows and were still slower at 256. The bound is below the 64 rows
  /// of attention blocks and below most micro-batches, so that training uses oneDNN.
  static let skinny = 48

  /// A `multiplyPanel` that computes every element as one sum over ascending k and is bound by
  /// reading B.
  ///
  /// A must not be transposed, and k must not be 0.
  ///
  /// The bits of a row of the result do not depend on the number of rows.
  ///
  /// - Parameter usesPairs: True to multiply bf16 factors by the pair instructions, whose rounding
  ///   differs.
  func multiplyAscending(
    _ a: Matrix, _ b: Matrix, into c: MatrixDestination, m: Int, n: Int, k: Int,
    bias: UnsafePointer<Float>? = nil, adds: Bool = false,
    usesPairs: Bool = apus_bf16_pairs_are_faster()
  ) {
    precondition(!a.transposed && k > 0, "an ascending product \(m)×\(n)×\(k)")
    let usesPairs = usesPairs && a.type == .bfloat16
    let room = apus_skinny_gemm_scratch(m, k, usesPairs)
    let isBF16 = c.type == .bfloat16
    withScratch(room + (isBF16 ? m * n : 0)) { scratch in
      let sums = isBF16 ? MatrixDestination(scratch + room, rowStride: n) : c
      if let bias {
        for row in 0..<m { (sums.floats + row * sums.rowStride).update(from: bias, count: n) }
      }
      if a.type == .bfloat16 {
        apus_skinny_gemm_bf16(
          sums.floats, sums.rowStride, a.bf16, a.rowStride, b.bf16, b.rowStride, b.transposed, m, n,
          k,
          bias != nil || adds, usesPairs, scratch)
      } else {
        apus_skinny_gemm_fp32(
          sums.floats, sums.rowStride, a.floats, a.rowStride, b.floats, b.rowStride, b.transposed,
          m, n, k,
          bias != nil || adds, scratch)
      }
      guard isBF16 else { return }
      for row in 0..<m {
        apus_round_bf16(
          (c.base + row * c.rowStride * c.type.stride).assumingMemoryBound(to: UInt16.self),
          sums.floats + row * n, n)
      }
    }
  }
}

extension Matrix {
  fileprivate var bf16: UnsafePointer<UInt16> { base.assumingMemoryBound(to: UInt16.self) }
}
