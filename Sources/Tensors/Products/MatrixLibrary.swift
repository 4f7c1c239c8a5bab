import CKernels
import CSystem
import COpenBLAS
import Glibc

/// Setup and description of the matrix libraries, OpenBLAS and oneDNN.
package enum MatrixLibrary {
  /// Re-executes the program once when OpenBLAS has chosen kernels for CPUs of twenty years ago.
  ///
  /// OpenBLAS chooses kernels by the CPU's model number, and a CPU newer than the library gets the
  /// oldest ones: a fifth of the speed for OpenBLAS 0.3.21 on an Emerald Rapids. The setting
  /// OPENBLAS_CORETYPE is read when the library is loaded, before `main`, so the program must start
  /// again. A value that the user has set is respected. Call this before anything else.
  package static func reexecuteIfKernelsAreOutdated() {
    // The library read the variable when it was loaded; child processes must choose for themselves.
    if getenv(reexecutionMarker) != nil {
      unsetenv(reexecutionMarker)
      unsetenv("OPENBLAS_CORETYPE")
      return
    }
    let chosen = String(cString: openblas_get_corename())
    guard let better = betterCore(than: chosen, level: kernelLevel),
      getenv("OPENBLAS_CORETYPE") == nil
    else { return }
    setenv("OPENBLAS_CORETYPE", better, 1)
    setenv(reexecutionMarker, "1", 1)
    // A signal that arrives meanwhile waits for the handlers of the program that starts.
    var (waiting, before) = (sigset_t(), sigset_t())
    sigemptyset(&waiting)
    for number in [SIGUSR1, SIGUSR2] { sigaddset(&waiting, number) }
    pthread_sigmask(SIG_BLOCK, &waiting, &before)
    // execv returns only when it fails; the program is then slow, but correct.
    execv("/proc/self/exe", CommandLine.unsafeArgv)
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }

  /// Environment variable that marks OPENBLAS_CORETYPE as set by this program and not by the user.
  static let reexecutionMarker = "APUS_RESTARTED"

  /// Returns OpenBLAS' name of the kernels for a CPU of `level` when the chosen ones are outdated;
  /// otherwise nil.
  static func betterCore(than chosen: String, level: String) -> String? {
    let outdated = ["prescott", "core2", "penryn", "dunnington", "nehalem", "atom"]
    guard outdated.contains(chosen.lowercased()) else { return nil }
    switch level {
    case "x86-64-v4": return "SkylakeX"
    case "x86-64-v3": return "Haswell"
    default: return nil
    }
  }

  /// Makes OpenBLAS run every product on the calling thread, because workers and teams provide the
  /// parallelism.
  ///
  /// Call once before the first product.
  package static func useCallingThreadOnly() {
    openblas_set_num_threads(1)
  }

  /// The error when the address space has no room for the buffers of the matrix products.
  package struct NoRoom: Error, Equatable, Sendable, CustomStringConvertible {
    /// The number of threads that compute products.
    package let threads: Int

    /// One sentence: what, where, why, what to do.
    package var description: String {
      "the limit of the address space (ulimit -v) has no room for the buffers of the matrix products "
        + "of \(threads) threads: raise it, or lower --threads and OPENBLAS_NUM_THREADS"
    }
  }

  /// Throws when the address space has no room for the buffers of the threads that OpenBLAS has
  /// started, 128 MiB each, and 256 MiB for the start of MPI.
  ///
  /// A thread without room would ask for it for ever, and MPI_Init waits for it.
  package static func requireRoomToStart() throws(NoRoom) {
    let threads = Int(openblas_get_num_threads())
    let bytes = (128 * threads + 256) << 20
    let room = mmap(nil, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let room, room != MAP_FAILED else { throw NoRoom(threads: threads) }
    munmap(room, bytes)
  }

  /// Reserves the buffers that OpenBLAS needs for products on `threads` threads at the same time,
  /// where the address space is limited.
  ///
  /// A product for whose buffer there is no room would ask for it for ever.
  package static func reserveBuffers(threads: Int) throws(NoRoom) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      limit.rlim_cur != rlim_t.max
    else { return }
    let count = Int32(clamping: threads)
    guard copenblas_reserve(count) == count else { throw NoRoom(threads: threads) }
  }

  /// Name, version and kernels of the libraries for fp32 and bf16 products.
  package static var description: String { description(for: .bf16) }

  /// Returns name, version and kernels of the libraries that `precision` uses, for the start-up
  /// contract.
  ///
  /// Libraries that are not used may differ between hosts.
  package static func description(for precision: Precision) -> String {
    let blas = "\(blasVersion) core \(blasCore)"
    return precision == .fp32 ? blas : "\(blas), \(BF16Products.description)"
  }

  /// The kernels that OpenBLAS uses, by the name of their CPU.
  package static var blasCore: String { String(cString: openblas_get_corename()) }

  /// Name, version and options of OpenBLAS.
  package static var blasVersion: String { String(cString: openblas_get_config()) }

  /// Version and instruction set of oneDNN, and the kernels of the skinny GEMM.
  package static var bf16Description: String { BF16Products.description }

  /// True when `precision: auto` takes bf16: when bf16 products are faster than fp32 ones on this
  /// CPU, or as APUS_AUTO_PRECISION decides.
  package static var bf16IsFaster: Bool {
    autoPrecision.map { $0 == .bf16 } ?? BF16Products.areFast
  }

  /// True when bf16 products are faster than fp32 ones on this CPU.
  package static var cpuIsFasterInBF16: Bool { BF16Products.areFast }

  /// The version of the C library, whose logarithms and cosines affect the initial weights.
  package static var mathVersion: String { String(cString: apus_libc_version()) }

  /// The CPU level of the element-wise kernels; see `apus_cpu_level`.
  package static var kernelLevel: String { String(cString: apus_cpu_level()) }
}
