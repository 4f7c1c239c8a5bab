import CKernels
import COpenBLAS

/// A factor of a product: rows at a fixed distance in memory, possibly to be read transposed.
struct Matrix {
  let pointer: UnsafePointer<Float>
  let pitch: Int
  let transposed: Bool

  init(_ pointer: UnsafePointer<Float>, pitch: Int, transposed: Bool = false) {
    self.pointer = pointer
    self.pitch = pitch
    self.transposed = transposed
  }

  var order: CBLAS_TRANSPOSE { transposed ? CblasTrans : CblasNoTrans }
}

/// C = α·A·B + β·C in row-major order.
///
/// Sizes may be zero.
///
/// - Parameters:
///   - m: Rows of A (as read) and C.
///   - n: Columns of B (as read) and C.
///   - k: Columns of A, rows of B.
func multiply(
  _ a: Matrix, _ b: Matrix,
  into c: UnsafeMutablePointer<Float>, pitch ldc: Int,
  m: Int, n: Int, k: Int, alpha: Float = 1, beta: Float
) {
  guard m > 0 && n > 0 else { return }
  guard k > 0 else {
    for row in 0..<m {
      for column in 0..<n {
        c[row * ldc + column] = beta == 0 ? 0 : beta * c[row * ldc + column]
      }
    }
    return
  }
  cblas_sgemm(
    CblasRowMajor, a.order, b.order, blasint(m), blasint(n), blasint(k), alpha, a.pointer,
    blasint(a.pitch), b.pointer, blasint(b.pitch), beta, c, blasint(ldc))
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
    "\(String(cString: openblas_get_config())) core \(String(cString: openblas_get_corename()))"
  }

  /// The version of the C library, whose logarithms and cosines reach the weights.
  public static var mathVersion: String { String(cString: apus_libc_version()) }

  /// The CPU level that the element-wise kernels were chosen for.
  public static var kernelLevel: String { String(cString: apus_cpu_level()) }
}
