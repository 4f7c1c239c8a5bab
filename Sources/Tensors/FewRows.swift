import CKernels

extension Workspace {
  /// Most rows of a bf16 product that goes without the library: generation's, a row a sequence, and
  /// small remainders elsewhere.
  ///
  /// The library packs all of B anew for every product. On a Sapphire Rapids without AMX its products
  /// were 1.5 times as slow at 48 rows and still slower at 256; the bound lies under the 64 rows of
  /// attention's blocks and under most micro-batches, so that training stays with the library.
  static let fewRows = 48

  /// `multiplyPanel` in which every element is one sum over ascending k, where reading B is the price;
  /// A is not transposed, and k is not 0.
  ///
  /// A row of the result has the same bits whatever the number of rows.
  ///
  /// - Parameter usesPairs: Whether bf16 factors are multiplied by instructions for pairs, which round
  ///   in another way.
  func multiplyAscending(
    _ a: Matrix, _ b: Matrix, into c: MatrixDestination, m: Int, n: Int, k: Int,
    bias: UnsafePointer<Float>? = nil, adds: Bool = false,
    usesPairs: Bool = apus_half_pairs_are_quick()
  ) {
    precondition(!a.transposed && k > 0, "an ascending product \(m)×\(n)×\(k)")
    let usesPairs = usesPairs && a.type == .bfloat16
    let room = apus_few_rows_scratch(m, k, usesPairs)
    let isHalf = c.type == .bfloat16
    withScratch(room + (isHalf ? m * n : 0)) { scratch in
      let sums = isHalf ? MatrixDestination(scratch + room, pitch: n) : c
      if let bias {
        for row in 0..<m { (sums.floats + row * sums.pitch).update(from: bias, count: n) }
      }
      if a.type == .bfloat16 {
        apus_few_rows(
          sums.floats, sums.pitch, a.halves, a.pitch, b.halves, b.pitch, b.transposed, m, n, k,
          bias != nil || adds, usesPairs, scratch)
      } else {
        apus_few_single_rows(
          sums.floats, sums.pitch, a.floats, a.pitch, b.floats, b.pitch, b.transposed, m, n, k,
          bias != nil || adds, scratch)
      }
      guard isHalf else { return }
      for row in 0..<m {
        apus_round_half(
          (c.base + row * c.pitch * c.type.stride).assumingMemoryBound(to: UInt16.self),
          sums.floats + row * n, n)
      }
    }
  }
}

extension Matrix {
  fileprivate var halves: UnsafePointer<UInt16> { base.assumingMemoryBound(to: UInt16.self) }
}
