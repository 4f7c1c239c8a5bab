// "Messages between processes. Knows bytes and counts, not tensors."
//
// The files follow the chapters of the MPI Standard 3.1: environment (8, 12.4), communicators (6),
// point-to-point (3), collectives (5). `check` in MPIError.swift tests the return code of
// every call that can fail.

internal import CMPI
internal import Glibc

/// The lifetime of MPI in this process: `init` starts it, and `deinit` finalises it.
///
/// Keep it as a local constant of the outermost function. As a global its `deinit` never runs, and
/// `mpirun` reports a rank that ends without finalising as a failure. A rank that fails must call
/// ``abort(code:)`` and not release the value: finalising waits for all ranks, and those that wait
/// in a collective would never arrive.
///
/// A program that `mpirun` did not start is a world of one rank.
///
/// Source: MPI Standard 3.1, sections 8.7 (start and end) and 12.4.3 (threads).
package struct MPIEnvironment: ~Copyable {
  /// The communicator of all ranks that `mpirun` started, MPI_COMM_WORLD.
  package let world: Communicator
  /// The thread level that MPI granted: the required one or a higher one.
  package let threadLevel: ThreadLevel

  /// Starts MPI on this rank; every rank must call, once in the life of the process.
  ///
  /// Waiting ranks yield their core (`OMPI_MCA_mpi_yield_when_idle=1`) unless the variable is set
  /// already: with more ranks than cores, a rank that spins starves the one it waits for.
  ///
  /// - Throws: ``MPIError/threadLevel(requested:granted:)`` when the library grants less than
  ///   `required`, ``ShellLimit`` when a limit of the shell is too low for MPI, and
  ///   ``LauncherMismatch`` when the launcher of another MPI started this rank.
  package init(requiring required: ThreadLevel = .serialized) throws {
    precondition(!Self.hasStarted, "MPI starts once in the life of a process")
    try ShellLimit.requireEnough()
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0)
    var level: Int32 = 0
    let watch = JoinWatch()
    defer { watch?.end() }
    try check(MPI_Init_thread(nil, nil, required.code, &level), "MPI_Init_thread")
    let granted = ThreadLevel(code: level)
    guard granted >= required else {
      MPI_Finalize()
      throw MPIError.threadLevel(requested: required, granted: granted)
    }
    do {
      world = try Self.startedWorld()
    } catch {
      MPI_Finalize()
      throw error
    }
    threadLevel = granted
  }

  /// Returns the communicator of all ranks, which must be those that the launcher started.
  private static func startedWorld() throws -> Communicator {
    let world = try Communicator(cmpi_comm_world(), isOwned: false)
    let library = libraryVersion
    if let mismatch = LauncherMismatch(.current, world: world.size, library: library) {
      throw mismatch
    }
    return world
  }

  deinit {
    if Self.isRunning { MPI_Finalize() }
  }

  /// Ends all ranks at once with `code`, which `mpirun` then returns; see
  /// ``Communicator/abort(code:)``.
  package func abort(code: Int32) -> Never {
    world.abort(code: code)
  }

  /// True when MPI has been started in this process, even if it has been finalised since.
  static var hasStarted: Bool {
    var flag: Int32 = 0
    MPI_Initialized(&flag)
    return flag != 0
  }

  /// True when MPI can be called now; both queries are allowed at any time (section 8.7).
  static var isRunning: Bool {
    var finalized: Int32 = 0
    MPI_Finalized(&finalized)
    return hasStarted && finalized == 0
  }
}

extension MPIEnvironment {
  /// The name and version of the MPI library, such as "Open MPI v4.1.4" or "MPICH 4.0.2" (MPI Standard
  /// 3.1, section 8.1.1).
  package static var libraryVersion: String {
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING))
    var length: Int32 = 0
    MPI_Get_library_version(&text, &length)
    return shortened(
      String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
  }

  /// Returns the beginning of a library's text, before that of its build: "Open MPI v4.1.4,
  /// package: …", and MPICH's "MPICH Version:\t4.0.2" with further lines.
  static func shortened(_ text: String) -> String {
    let first = text.prefix { $0 != "," && !$0.isNewline }
    return first.split { $0 == " " || $0 == "\t" }.filter { $0 != "Version:" }
      .joined(separator: " ")
  }
}
