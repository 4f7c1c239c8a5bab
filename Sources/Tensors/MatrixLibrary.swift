import CKernels
import COpenBLAS
import Glibc

/// The matrix library behind the products.
public enum MatrixLibrary {
  /// Starts the program anew, once, where OpenBLAS took kernels made for CPUs of twenty years ago.
  ///
  /// It goes by the model's number, and gives a CPU that is younger than itself the oldest kernels:
  /// a fifth of the speed for OpenBLAS 0.3.21 on an Emerald Rapids. It reads its setting when it is
  /// loaded, before `main`. A choice of the user's stays. Call before anything else.
  public static func restartIfKernelsAreOutdated() {
    // It was read when the library was loaded; programs that this one starts choose for themselves.
    if getenv(restarted) != nil {
      unsetenv(restarted)
      unsetenv("OPENBLAS_CORETYPE")
      return
    }
    let chosen = String(cString: openblas_get_corename())
    guard let better = betterCore(than: chosen, level: kernelLevel),
      getenv("OPENBLAS_CORETYPE") == nil
    else { return }
    setenv("OPENBLAS_CORETYPE", better, 1)
    setenv(restarted, "1", 1)
    // Returns only when the system refuses: then it is slow, not wrong.
    execv("/proc/self/exe", CommandLine.unsafeArgv)
  }

  /// Tells the program started anew that the choice is ours, not the user's.
  static let restarted = "APUS_RESTARTED"

  /// OpenBLAS' name of kernels for a CPU of `level`, if those it chose make no use of it.
  static func betterCore(than chosen: String, level: String) -> String? {
    let outdated = ["prescott", "core2", "penryn", "dunnington", "nehalem", "atom"]
    guard outdated.contains(chosen.lowercased()) else { return nil }
    switch level {
    case "x86-64-v4": return "SkylakeX"
    case "x86-64-v3": return "Haswell"
    default: return nil
    }
  }

  /// Makes every product run on the thread that asks for it; workers are the parallelism.
  ///
  /// Call once before the first product.
  public static func useCallingThreadOnly() {
    openblas_set_num_threads(1)
  }

  /// Name, version and chosen kernels of all products.
  public static var description: String { description(for: .bf16) }

  /// Name, version and chosen kernels of the products that `precision` uses, for the start-up
  /// contract: what no product goes through may differ from host to host.
  public static func description(for precision: Precision) -> String {
    let blas =
      "\(String(cString: openblas_get_config())) core \(String(cString: openblas_get_corename()))"
    return precision == .fp32 ? blas : "\(blas), \(HalfProducts.description)"
  }

  /// Whether this CPU's instructions make bf16 products quicker than fp32 ones.
  public static var hasHalfProducts: Bool { HalfProducts.areFast }

  /// The version of the C library, whose logarithms and cosines reach the weights.
  public static var mathVersion: String { String(cString: apus_libc_version()) }

  /// The CPU level that the element-wise kernels were chosen for.
  public static var kernelLevel: String { String(cString: apus_cpu_level()) }
}
