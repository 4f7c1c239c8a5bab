import CKernels
import Glibc

// The environment variables with which a machine computes as another one would:
//
//   APUS_CPU_LEVEL       the CPU level of the kernels, the CPU's own or a lower one (cpu.c)
//   APUS_AUTO_PRECISION  the precision that `precision: auto` takes, fp32 or bf16
//
// An empty value counts as none.
extension MatrixLibrary {
  /// A sentence about a variable whose value this machine cannot use, or nil.
  ///
  /// A program must refuse to start with it: other kernels or another precision than the user asked
  /// for give other bits.
  package static var environmentFault: String? {
    environmentFault(
      refusedLevel: apus_refused_cpu_level().map { String(cString: $0) },
      autoPrecision: autoPrecisionSetting)
  }

  /// - Parameters:
  ///   - refusedLevel: The value of APUS_CPU_LEVEL if it names no level of this CPU.
  ///   - autoPrecision: The value of APUS_AUTO_PRECISION.
  static func environmentFault(refusedLevel: String?, autoPrecision: String?) -> String? {
    if let refusedLevel {
      // After a refusal the kernels are those of the CPU's own level.
      let levels = ["default", "x86-64-v3", "x86-64-v4"]
      let own = levels.firstIndex(of: kernelLevel) ?? 0
      return "APUS_CPU_LEVEL is \"\(refusedLevel)\", which is no level of this CPU: "
        + "set it to \(choice(levels[...own])), or unset it."
    }
    guard let autoPrecision, Precision(rawValue: autoPrecision) == nil else { return nil }
    return "APUS_AUTO_PRECISION is \"\(autoPrecision)\", which is no precision: "
      + "set it to \(choice(Precision.allCases.map(\.rawValue)[...])), or unset it."
  }

  /// The precision of APUS_AUTO_PRECISION, or nil.
  static let autoPrecision = autoPrecisionSetting.flatMap(Precision.init)

  private static var autoPrecisionSetting: String? {
    guard let value = getenv("APUS_AUTO_PRECISION"), value[0] != 0 else { return nil }
    return String(cString: value)
  }

  private static func choice(_ names: ArraySlice<String>) -> String {
    names.count < 2
      ? names.joined()
      : "\(names.dropLast().joined(separator: ", ")) or \(names[names.endIndex - 1])"
  }
}
