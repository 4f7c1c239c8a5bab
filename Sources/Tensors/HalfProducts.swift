import CKernels
import COneDNN
import COpenBLAS

/// bf16 products through oneDNN, each shape prepared once and kept.
///
/// Where that is not quicker than fp32 (see `areFast`) the operands are expanded, a piece that stays
/// in the cache at a time, and multiplied by OpenBLAS: the same meaning, in other bits, at the rate
/// of fp32. Used by one thread at a time.
final class HalfProducts {
  private struct Shape: Hashable {
    let m: Int
    let n: Int
    let k: Int
    let pitches: SIMD3<Int32>
    let flags: SIMD8<UInt8>
  }

  /// Nil where oneDNN has no kernel for the shape.
  private var prepared: [Shape: UnsafeMutablePointer<apus_product>?] = [:]
  private let stream: dnnl_stream_t
  private let pool = MemoryPool()
  /// Whether products go through OpenBLAS.
  let expands: Bool

  /// One for the process: it holds nothing but the choice of the CPU.
  private nonisolated(unsafe) static let engine: dnnl_engine_t = {
    var engine: dnnl_engine_t?
    let status = apus_onednn_engine(&engine)
    guard status == 0, let engine else {
      preconditionFailure("oneDNN has no CPU engine: \(status)")
    }
    return engine
  }()

  /// - Parameter expands: Whether to do as on a CPU that is not quick with bf16.
  init(expands: Bool = !HalfProducts.areFast) {
    self.expands = expands
    var stream: dnnl_stream_t?
    let status = apus_onednn_stream(&stream, HalfProducts.engine)
    guard status == 0, let stream else { preconditionFailure("oneDNN has no stream: \(status)") }
    self.stream = stream
  }

  deinit {
    for case let product? in prepared.values { apus_product_destroy(product) }
    dnnl_stream_destroy(stream)
  }

  /// Whether the CPU's instructions for these products beat those for fp32, and oneDNN uses them.
  static let areFast =
    apus_onednn_has_half_products() && (apus_onednn_has_tiles() || apus_half_pairs_are_quick())

  /// Library and kernels, also those of few rows.
  static var description: String {
    let version =
      "\(apus_onednn_major()).\(apus_onednn_minor()).\(apus_onednn_patch())"
    return "oneDNN \(version) isa \(String(apus_onednn_isa(), radix: 16))"
      + (areFast ? "" : " unused") + ", few rows by "
      + (apus_half_pairs_are_quick() ? "bf16 pairs" : "fp32")
  }

  /// See `Workspace.multiply`.
  func multiply(
    _ a: Matrix, _ b: Matrix, into c: MatrixDestination, m: Int, n: Int, k: Int,
    bias: UnsafePointer<Float>?, adds: Bool
  ) {
    let cIsHalf = c.type == .bfloat16
    let shape = Shape(
      m: m, n: n, k: k,
      pitches: SIMD3(Int32(a.pitch), Int32(b.pitch), Int32(c.pitch)),
      flags: SIMD8(
        a.transposed ? 1 : 0, b.transposed ? 1 : 0, cIsHalf ? 1 : 0, adds ? 1 : 0,
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
      a_pitch: Int64(shape.pitches.x), b_pitch: Int64(shape.pitches.y),
      c_pitch: Int64(shape.pitches.z), a_transposed: shape.flags[0] == 1,
      b_transposed: shape.flags[1] == 1, c_is_half: shape.flags[2] == 1,
      adds: shape.flags[3] == 1, has_bias: shape.flags[4] == 1)
    var product: UnsafeMutablePointer<apus_product>?
    let status = apus_product_create(&product, HalfProducts.engine, &request)
    // Anything else must not change the bits without a word.
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
      return expandAndMultiply(a, b, into: c.floats, pitch: c.pitch, m, n, k, bias, adds)
    }
    withScratch(m * n) { sums in
      expandAndMultiply(a, b, into: sums, pitch: n, m, n, k, bias, false)
      for row in 0..<m {
        apus_round_half(
          c.from(row: row, column: 0).base.assumingMemoryBound(to: UInt16.self), sums + row * n, n)
      }
    }
  }

  /// Inner sizes of more than this are worked off in pieces.
  private static let depth = 2048

  private func expandAndMultiply(
    _ a: Matrix, _ b: Matrix, into c: UnsafeMutablePointer<Float>, pitch: Int, _ m: Int, _ n: Int,
    _ k: Int, _ bias: UnsafePointer<Float>?, _ adds: Bool
  ) {
    if let bias {
      for row in 0..<m { (c + row * pitch).update(from: bias, count: n) }
    }
    for start in stride(from: 0, to: k, by: HalfProducts.depth) {
      let k = min(HalfProducts.depth, k - start)
      expanded(a.from(readColumn: start), m, k) { a in
        expanded(b.from(readRow: start), k, n) { b in
          cblas_sgemm(
            CblasRowMajor, a.order, b.order, blasint(m), blasint(n), blasint(k), 1, a.floats,
            blasint(a.pitch), b.floats, blasint(b.pitch),
            bias != nil || adds || start > 0 ? 1 : 0, c, blasint(pitch))
        }
      }
    }
  }

  /// Calls `body` with a bf16 matrix, `rows` × `columns` as read, in fp32.
  private func expanded(_ x: Matrix, _ rows: Int, _ columns: Int, _ body: (Matrix) -> Void) {
    let (rows, columns) = x.transposed ? (columns, rows) : (rows, columns)
    withScratch(rows * columns) { plain in
      for row in 0..<rows {
        apus_expand_half(
          plain + row * columns, x.from(row: row).base.assumingMemoryBound(to: UInt16.self),
          columns)
      }
      body(Matrix(plain, pitch: columns, transposed: x.transposed))
    }
  }

  private func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let bytes = count * MemoryLayout<Float>.stride
    let block = pool.take(bytes: bytes)
    body(block.assumingMemoryBound(to: Float.self))
    pool.give(back: block, bytes: bytes)
  }
}
