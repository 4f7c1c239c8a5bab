import DataParallel
import Files
import Foundation
import Launch
import MPI
import Monitoring
import Synchronization
import Tensors

extension HostReport {
  /// Returns the report of this process' machine; its speeds take about a second to measure.
  static func ofThisHost(measuresSpeeds: Bool) throws -> HostReport {
    let environment = ProcessInfo.processInfo.environment
    let cores = Cores.survey()
    let mpirun = path(of: "mpirun")
    let version = mpirun == nil ? nil : Tool.run(["mpirun", "--version"], seconds: 5)
    var scheduler: Scheduler?
    if measuresSpeeds, let job = environment["SLURM_JOB_ID"] {
      let types = Tool.run(["srun", "--mpi=list"], seconds: 5)
      scheduler = Scheduler(
        job: job,
        types: types.flatMap { $0.code == 0 ? mpiTypes($0.output + $0.errors) : nil })
    }
    let program = ProgramFacts(
      path: Program.path, identity: Program.identity, mpi: MPIEnvironment.libraryVersion,
      cLibrary: MatrixLibrary.mathVersion, mpirun: mpirun,
      mpirunVersion: version.flatMap { HostReport.mpirunVersion(of: $0.output) })
    return HostReport(
      program: program,
      arithmetic: try measuresSpeeds ? .measured(on: cores.allowed) : .unmeasured(),
      processor: RunEnvironment.processor, cores: (cores.given, cores.allowed),
      limits: ShellLimit.tooLow.map {
        Limit(resource: $0.resource, option: $0.option, value: $0.value, least: $0.least)
      }, scheduler: scheduler)
  }

  /// Returns the path of the program `name` in PATH.
  private static func path(of name: String) -> String? {
    let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
    return folders.map { FileSystem.join(String($0), name) }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Returns the types in the output of `srun --mpi=list`: a heading, then one a line or several
  /// separated by commas.
  private static func mpiTypes(_ text: String) -> [String] {
    text.split { $0.isNewline || $0 == "," || $0.isWhitespace }.map(String.init)
      .filter { $0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" } }
      .filter { $0.hasPrefix("pm") || ["none", "openmpi", "cray_shasta"].contains($0) }
  }
}

extension HostReport.ArithmeticFacts {
  /// The seconds of each measurement of a core.
  private static let span = 0.25

  /// Returns the facts without speeds; products of a few shapes are checked on this core.
  static func unmeasured() -> Self {
    MatrixLibrary.useCallingThreadOnly()
    return of(rates: [:], peak: 0)
  }

  /// Measures the products on all `cores` at the same time.
  static func measured(on cores: [Int]) throws -> Self {
    MatrixLibrary.useCallingThreadOnly()
    let precisions: [Precision] = MatrixLibrary.cpuIsFasterInBF16 ? [.fp32, .bf16] : [.fp32]
    let measured = Mutex<[String: [HostReport.CoreRate]]>([:])
    let peaks = Mutex<[Double]>([])
    try Cores.onEach(of: cores) { core in
      let peak = CoreSpeed.multiplyAdds(seconds: span / 4)
      peaks.withLock { $0.append(peak) }
      for precision in precisions {
        let (flops, isRight) = CoreSpeed.products(in: precision, seconds: span)
        let rate = HostReport.CoreRate(core: core, flops: flops, isRight: isRight)
        measured.withLock { $0[precision.rawValue, default: []].append(rate) }
      }
    }
    let rates = measured.withLock { $0.mapValues { $0.sorted { $0.core < $1.core } } }
    let sorted = peaks.withLock { $0.sorted() }
    var facts = of(rates: rates, peak: sorted[sorted.count / 2])
    if facts.mayBeSlow { facts.alternatives = alternatives(to: facts) }
    return facts
  }

  private static func of(rates: [String: [HostReport.CoreRate]], peak: Double) -> Self {
    let environment = ProcessInfo.processInfo.environment
    let names = HostReport.blasVariables + ["APUS_CPU_LEVEL", "ONEDNN_MAX_CPU_ISA"]
    return Self(
      level: MatrixLibrary.kernelLevel, blas: MatrixLibrary.blasVersion,
      blasCore: MatrixLibrary.blasCore, bf16: MatrixLibrary.bf16Description,
      variables: environment.filter { names.contains($0.key) && !$0.value.isEmpty },
      products: Precision.allCases.map { precision in
        HostReport.ProductFacts(
          precision: precision.rawValue,
          wrong: ExactProduct.wrongShapes(in: precision).map(\.description),
          rates: rates[precision.rawValue] ?? [])
      }, peak: peak)
  }

  /// True where other settings of OpenBLAS may be faster: the user has set some, or it is far from
  /// the peak.
  private var mayBeSlow: Bool {
    HostReport.blasVariables.contains { variables[$0] != nil }
      || products(in: "fp32").map {
        !$0.wrong.isEmpty || $0.median < HostReport.leastEfficiency * peak
      } ?? false
  }

  /// Measures fp32 products with other settings of OpenBLAS, which reads them when it is loaded.
  ///
  /// Each has two turns, of which the faster counts: another program may disturb one.
  private static func alternatives(to facts: Self) -> [String: Double] {
    let cores = ["x86-64-v4": ["SkylakeX", "Haswell"], "x86-64-v3": ["Haswell", "Zen"]]
    let settings =
      (facts.variables.keys.contains { HostReport.blasVariables.contains($0) } ? [""] : [])
      + (cores[facts.level] ?? []).map { "OPENBLAS_CORETYPE=\($0)" }
    var found: [String: Double] = [:]
    for setting in settings + settings {
      var variables: [String: String?] = [:]
      for name in HostReport.blasVariables { variables.updateValue(nil, forKey: name) }
      let words = setting.split(separator: "=").map(String.init)
      if words.count == 2 { variables[words[0]] = words[1] }
      let outcome = Tool.run(
        [Program.path, "doctor", "speed"], variables: variables, seconds: 10)
      if let outcome, outcome.code == 0,
        let flops = Double(outcome.output.filter { !$0.isWhitespace })
      {
        found[setting] = max(found[setting] ?? 0, flops)
      }
    }
    return found
  }
}
