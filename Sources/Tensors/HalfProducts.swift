import CKernels
import COneDNN
import COpenBLAS

/// bf16 products through oneDNN, each shape prepared once and kept.
///
/// On a CPU for which oneDNN has no bf16 kernels the operands are expanded and multiplied by
/// OpenBLAS: the same meaning, in other bits, slowly. Used by one thread at a time.
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
  private let expands: Bool

  /// One for the process: it holds nothing but the choice of the CPU.
  private nonisolated(unsafe) static let engine: dnnl_engine_t = {
    var engine: dnnl_engine_t?
    let status = apus_onednn_engine(&engine)
    guard status == 0, let engine else {
      preconditionFailure("oneDNN has no CPU engine: \(status)")
    }
    return engine
  }()

  /// - Parameter expands: Whether to do as on a CPU without any kernel.
  init(expands: Bool = false) {
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

  /// Whether the CPU has instructions for these products.
  static var areFast: Bool { apus_onednn_has_half_products() }

  static var description: String {
    let version =
      "\(apus_onednn_major()).\(apus_onednn_minor()).\(apus_onednn_patch())"
    return "oneDNN \(version) isa \(String(apus_onednn_isa(), radix: 16))"
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
    func expanded(_ x: Matrix, _ rows: Int, _ columns: Int, _ body: (Matrix) -> Void) {
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
    expanded(a, m, k) { a in
      expanded(b, k, n) { b in
        let isHalf = c.type == .bfloat16
        withScratch(isHalf ? m * n : 0) { scratch in
          let plain = isHalf ? MatrixDestination(scratch, pitch: n) : c
          if let bias {
            for row in 0..<m { (plain.floats + row * plain.pitch).update(from: bias, count: n) }
          }
          cblas_sgemm(
            CblasRowMajor, a.order, b.order, blasint(m), blasint(n), blasint(k), 1, a.floats,
            blasint(a.pitch), b.floats, blasint(b.pitch), bias != nil || adds ? 1 : 0,
            plain.floats, blasint(plain.pitch))
          guard isHalf else { return }
          for row in 0..<m {
            apus_round_half(
              (c.base + row * c.pitch * 2).assumingMemoryBound(to: UInt16.self),
              plain.floats + row * n, n)
          }
        }
      }
    }
  }

  private func withScratch(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    let bytes = count * MemoryLayout<Float>.stride
    let block = pool.take(bytes: bytes)
    body(block.assumingMemoryBound(to: Float.self))
    pool.give(back: block, bytes: bytes)
  }
}
