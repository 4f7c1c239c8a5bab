import CKernels
import COpenBLAS

/// A factor of a product: rows at a fixed distance in memory, possibly to be read transposed.
struct Matrix {
  let base: UnsafeRawPointer
  let type: ElementType
  let pitch: Int
  let transposed: Bool
  /// Keeps the memory while the product runs; nil where a scope does.
  let owner: Storage?

  init(_ pointer: UnsafePointer<Float>, pitch: Int, transposed: Bool = false) {
    self.init(base: pointer, type: .float32, pitch: pitch, transposed: transposed)
  }

  init(_ pointer: UnsafePointer<UInt16>, pitch: Int, transposed: Bool = false) {
    self.init(base: pointer, type: .bfloat16, pitch: pitch, transposed: transposed)
  }

  init(
    base: UnsafeRawPointer, type: ElementType, pitch: Int, transposed: Bool = false,
    owner: Storage? = nil
  ) {
    self.base = base
    self.type = type
    self.pitch = pitch
    self.transposed = transposed
    self.owner = owner
  }

  /// The rows of `tensor`.
  init(_ tensor: Tensor, transposed: Bool = false) {
    self.init(
      base: tensor.base, type: tensor.type, pitch: tensor.columns, transposed: transposed,
      owner: tensor.storage)
  }

  /// Element (`row`, `column`) of what lies in memory becomes the first.
  func from(row: Int, column: Int = 0) -> Matrix {
    Matrix(
      base: base + (row * pitch + column) * type.stride, type: type, pitch: pitch,
      transposed: transposed, owner: owner)
  }

  var order: CBLAS_TRANSPOSE { transposed ? CblasTrans : CblasNoTrans }
  var floats: UnsafePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}

/// Where a product goes: rows at a fixed distance in memory.
struct MatrixDestination {
  let base: UnsafeMutableRawPointer
  let type: ElementType
  let pitch: Int

  init(_ pointer: UnsafeMutablePointer<Float>, pitch: Int) {
    self.init(base: pointer, type: .float32, pitch: pitch)
  }

  init(base: UnsafeMutableRawPointer, type: ElementType, pitch: Int) {
    self.base = base
    self.type = type
    self.pitch = pitch
  }

  init(_ tensor: Tensor) {
    self.init(base: tensor.base, type: tensor.type, pitch: tensor.columns)
  }

  func from(column: Int) -> MatrixDestination {
    MatrixDestination(base: base + column * type.stride, type: type, pitch: pitch)
  }

  var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}

extension Tensor {
  /// The elements' address, whatever their type.
  var base: UnsafeMutableRawPointer { storage.base + offset * type.stride }
}

extension Workspace {
  /// C = A·B (+ bias in every row) (+ C), in row-major order.
  ///
  /// Both factors are of one type; only fp32 factors need an fp32 C. Sizes may be zero.
  ///
  /// - Parameters:
  ///   - m: Rows of A (as read) and C.
  ///   - n: Columns of B (as read) and C.
  ///   - k: Columns of A, rows of B.
  ///   - bias: n numbers, not together with `adds`.
  ///   - adds: Whether to add to what C holds.
  func multiply(
    _ a: Matrix, _ b: Matrix, into c: MatrixDestination, m: Int, n: Int, k: Int,
    bias: UnsafePointer<Float>? = nil, adds: Bool = false
  ) {
    precondition(a.type == b.type, "a product of \(a.type) and \(b.type)")
    precondition(bias == nil || !adds, "a product with a bias starts anew")
    precondition(c.type == .float32 || !adds, "a product adds to fp32 only")
    guard m > 0 && n > 0 else { return }
    // Panels of columns, cut by the sizes alone: the same bits whoever computes them, and in bf16 a
    // panel of B stays in the cache. OpenBLAS packs A anew for each, which narrow ones do not pay.
    let (most, least) = a.type == .bfloat16 ? (8, 128) : (4, 768)
    let width = max(least, ((n + most - 1) / most + 15) / 16 * 16)
    withExtendedLifetime((a.owner, b.owner)) {
      forEach((n + width - 1) / width) { panel, lane in
        let start = panel * width
        multiplyPanel(
          a, b.transposed ? b.from(row: start) : b.from(row: 0, column: start),
          into: c.from(column: start), m: m, n: min(width, n - start), k: k,
          bias: bias.map { $0 + start }, adds: adds, lane: lane)
      }
    }
  }

  /// The same on one thread of the team, in one piece.
  func multiplyPanel(
    _ a: Matrix, _ b: Matrix, into c: MatrixDestination, m: Int, n: Int, k: Int,
    bias: UnsafePointer<Float>? = nil, adds: Bool = false, lane: Int
  ) {
    if a.type == .bfloat16 && m == 1 && k > 0 && !a.transposed {
      return multiplyRow(a, b, into: c, n: n, k: k, bias: bias, adds: adds)
    }
    if a.type == .bfloat16 && k > 0 {
      return halfProducts[lane].multiply(a, b, into: c, m: m, n: n, k: k, bias: bias, adds: adds)
    }
    precondition(c.type == .float32, "an fp32 product into \(c.type)")
    if let bias {
      for row in 0..<m { (c.floats + row * c.pitch).update(from: bias, count: n) }
    }
    guard k > 0 else {
      if bias == nil && !adds {
        for row in 0..<m { (c.floats + row * c.pitch).update(repeating: 0, count: n) }
      }
      return
    }
    cblas_sgemm(
      CblasRowMajor, a.order, b.order, blasint(m), blasint(n), blasint(k), 1, a.floats,
      blasint(a.pitch), b.floats, blasint(b.pitch), bias != nil || adds ? 1 : 0, c.floats,
      blasint(c.pitch))
  }
}

extension Workspace {
  /// The same for one bf16 row: bound by reading B, for which the library's kernels are not made.
  private func multiplyRow(
    _ a: Matrix, _ b: Matrix, into c: MatrixDestination, n: Int, k: Int,
    bias: UnsafePointer<Float>?, adds: Bool
  ) {
    withScratch(k + n) { scratch in
      let (x, y) = (scratch, scratch + k)
      apus_expand_half(x, a.base.assumingMemoryBound(to: UInt16.self), k)
      let weights = b.base.assumingMemoryBound(to: UInt16.self)
      if b.transposed {
        apus_half_dot_rows(y, x, weights, b.pitch, n, k)
      } else {
        apus_half_sum_rows(y, x, weights, b.pitch, n, k)
      }
      if let bias { apus_add(y, y, bias, n) }
      if c.type == .bfloat16 {
        apus_round_half(c.base.assumingMemoryBound(to: UInt16.self), y, n)
      } else if adds {
        apus_add(c.floats, c.floats, y, n)
      } else {
        c.floats.update(from: y, count: n)
      }
    }
  }
}

/// The matrix library behind the products.
public enum MatrixLibrary {
  /// Makes every product run on the thread that asks for it; workers are the parallelism.
  ///
  /// Call once before the first product.
  public static func useCallingThreadOnly() {
    openblas_set_num_threads(1)
  }

  /// Name, version and chosen kernels, for the start-up contract.
  public static var description: String {
    let blas = String(cString: openblas_get_config())
    return "\(blas) core \(String(cString: openblas_get_corename())), \(HalfProducts.description)"
  }

  /// Whether this CPU has instructions for bf16 products.
  public static var hasHalfProducts: Bool { HalfProducts.areFast }

  /// The version of the C library, whose logarithms and cosines reach the weights.
  public static var mathVersion: String { String(cString: apus_libc_version()) }

  /// The CPU level that the element-wise kernels were chosen for.
  public static var kernelLevel: String { String(cString: apus_cpu_level()) }
}
