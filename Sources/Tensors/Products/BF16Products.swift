import CKernels
import COneDNN
import COpenBLAS

/// bf16 matrix products by oneDNN, with a cache of prepared shapes.
///
/// Where bf16 is not faster than fp32 (see `areFast`), the operands are expanded to fp32 in pieces
/// that fit into the cache and multiplied by OpenBLAS. The result is the same up to rounding, at
/// the speed of fp32. Used by one thread at a time.
final class BF16Products {
  private struct Shape: Hashable {
    let m: Int
    let n: Int
    let k: Int
    let rowStrides: SIMD3<Int32>
    let flags: SIMD8<UInt8>
  }

  /// The prepared products; nil for shapes that oneDNN has no kernel for.
  private var prepared: [Shape: UnsafeMutablePointer<apus_product>?] = [:]
  private let stream: dnnl_stream_t
  private let pool = MemoryPool()
  /// True when operands are expanded to fp32 and multiplied by OpenBLAS.
  let expands: Bool

  /// The engine of the process; its only state is the choice of the CPU.
  private nonisolated(unsafe) static let engine: dnnl_engine_t = {
    var engine: dnnl_engine_t?
    let status = apus_onednn_engine(&engine)
    guard status == 0, let engine else {
      preconditionFailure("oneDNN has no CPU engine: \(status)")
    }
    return engine
  }()

  /// - Parameter expands: True to expand operands as on a CPU where bf16 is not faster.
  init(expands: Bool = !BF16Products.areFast) {
    self.expands = expands
    var stream: dnnl_stream_t?
    let status = apus_onednn_stream(&stream, BF16Products.engine)
    guard status == 0, let stream else { preconditionFailure("oneDNN has no stream: \(status)") }
    self.stream = stream
  }

  deinit {
    for case let product? in prepared.values { apus_product_destroy(product) }
    dnnl_stream_destroy(stream)
  }

  /// True when the CPU's bf16 instructions are faster than fp32 and oneDNN uses them.
  static let areFast =
    apus_onednn_has_bf16_products() && (apus_onednn_has_tiles() || apus_bf16_pairs_are_faster())

  /// The version and instruction set of oneDNN, and the kernels of the skinny GEMM.
  static var description: String {
    let version =
      "\(apus_onednn_major()).\(apus_onednn_minor()).\(apus_onednn_patch())"
    return "oneDNN \(version) isa \(String(apus_onednn_isa(), radix: 16))"
      + (areFast ? "" : " unused") + ", skinny GEMM by "
      + (apus_bf16_pairs_are_faster() ? "bf16 pairs" : "fp32")
  }

  /// C = A·B (+ bias) (+ C); see `Workspace.multiply`.
  func multiply(
    _ a: Matrix, _ b: Matrix, into c: MatrixDestination, m: Int, n: Int, k: Int,
    bias: UnsafePointer<Float>?, adds: Bool
  ) {
    let cIsBF16 = c.type == .bfloat16
    let shape = Shape(
      m: m, n: n, k: k,
      rowStrides: SIMD3(Int32(a.rowStride), Int32(b.rowStride), Int32(c.rowStride)),
      flags: SIMD8(
        a.transposed ? 1 : 0, b.transposed ? 1 : 0, cIsBF16 ? 1 : 0, adds ? 1 : 0,
        bias == nil ? 0 : 1, 0, 0, 0))
    guard !expands, let product = prepared[shape] ?? prepare(shape) else {
      return expandAndMultiply(a, b, into: c, m: m, n: n, k: k, bias: bias, adds: adds)
    }
    let status = apus_product_run(product, stream, a.base, b.base, bias, c.base)
    precondition(status == 0, "oneDNN: status \(status) for a product \(m)×\(n)×\(k)")
  }

  private func prepare(_ shape: Shape) -> UnsafeMutablePointer<apus_product>? {
    var request = apus_product_shape(
      m: Int64(shape.m), n: Int64(shape.n), k: Int64(shape.k),
      a_stride: Int64(shape.rowStrides.x), b_stride: Int64(shape.rowStrides.y),
      c_stride: Int64(shape.rowStrides.z), a_transposed: shape.flags[0] == 1,
      b_transposed: shape.flags[1] == 1, c_is_bf16: shape.flags[2] == 1,
      adds: shape.flags[3] == 1, has_bias: shape.flags[4] == 1)
    var product: UnsafeMutablePointer<apus_product>?
    let status = apus_product_create(&product, BF16Products.engine, &request)
    // Any other failure must not silently select kernels with other bits.
    precondition(
      status == 0 || apus_is_unimplemented(status),
      "oneDNN: status \(status) when preparing a product \(shape.m)×\(shape.n)×\(shape.k)")
    prepared[shape] = .some(product)
    return product
  }

  private func expandAndMultiply(
    _ a: Matrix, _ b: Matrix, into c: MatrixDestination, m: Int, n: Int, k: Int,
    bias: UnsafePointer<Float>?, adds: Bool
  ) {
    guard c.type == .bfloat16 else {
      return expandAndMultiply(a, b, into: c.floats, rowStride: c.rowStride, m, n, k, bias, adds)
    }
    withScratch(m * n) { sums in
      expandAndMultiply(a, b, into: sums, rowStride: n, m, n, k, bias, false)
      for row in 0..<m {
        apus_round_bf16(
          c.from(row: row, column: 0).base.assumingMemoryBound(to: UInt16.self), sums + row * n, n)
      }
    }
  }

  /// The largest inner size k that is expanded at once; larger products are split along k.
  private static let depth = 2048

  private func expandAndMultiply(
    _ a: Matrix, _ b: Matrix, into c: UnsafeMutablePointer<Float>, rowStride: Int, _ m: Int,
    _ n: Int,
    _ k: Int, _ bias: UnsafePointer<Float>?, _ adds: Bool
  ) {
    if let bias {
      for row in 0..<m { (c + row * rowStride).update(from: bias, count: n) }
    }
    for start in stride(from: 0, to: k, by: BF16Products.depth) {
      let k = min(BF16Products.depth, k - start)
      expanded(a.from(readColumn: start), m, k) { a in
        expanded(b.from(readRow: start), k, n) { b in
          cblas_sgemm(
            CblasRowMajor, a.order, b.order, blasint(m), blasint(n), blasint(k), 1, a.floats,
            blasint(a.rowStride), b.floats, blasint(b.rowStride),
            bias != nil || adds || start > 0 ? 1 : 0, c, blasint(rowStride))
        }
      }
    }
  }

  /// Calls `body` with an fp32 copy of a bf16 matrix that is `rows` × `columns` as read.
  private func expanded(_ x: Matrix, _ rows: Int, _ columns: Int, _ body: (Matrix) -> Void) {
    let (rows, columns) = x.transposed ? (columns, rows) : (rows, columns)
    withScratch(rows * columns) { plain in
      for row in 0..<rows {
        apus_expand_bf16(
          plain + row * columns, x.from(row: row).base.assumingMemoryBound(to: UInt16.self),
          columns)
      }
      body(Matrix(plain, rowStride: columns, transposed: x.transposed))
    }
  }

  private func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let bytes = count * MemoryLayout<Float>.stride
    let block = pool.take(bytes: bytes)
    body(block.assumingMemoryBound(to: Float.self))
    pool.give(back: block, bytes: bytes)
  }
}
