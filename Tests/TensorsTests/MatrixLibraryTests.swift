import CKernels
import Glibc
import Testing

@testable import Tensors

/// The choice of OpenBLAS kernels and the description of the libraries.
@Suite struct MatrixLibraryTests {
  @Test func onlyKernelsOfOldCPUsAreReplaced() {
    #expect(MatrixLibrary.betterCore(than: "Prescott", level: "x86-64-v4") == "SkylakeX")
    #expect(MatrixLibrary.betterCore(than: "Core2", level: "x86-64-v3") == "Haswell")
    #expect(MatrixLibrary.betterCore(than: "Prescott", level: "default") == nil)
    for core in ["Haswell", "Zen", "SkylakeX", "Cooperlake", "Sapphirerapids", "ARMV8"] {
      #expect(MatrixLibrary.betterCore(than: core, level: "x86-64-v4") == nil)
    }
  }

  /// Child processes inherit a choice of the user's, but not the choice of this program.
  @Test func theChoiceOfKernelsIsNotInheritedByChildProcesses() async {
    await #expect(processExitsWith: .exitCode(7)) {
      setenv("OPENBLAS_CORETYPE", "Haswell", 1)
      MatrixLibrary.reexecuteIfKernelsAreOutdated()
      let usersStays = getenv("OPENBLAS_CORETYPE") != nil
      setenv(MatrixLibrary.reexecutionMarker, "1", 1)
      MatrixLibrary.reexecuteIfKernelsAreOutdated()
      let oursIsGone =
        getenv("OPENBLAS_CORETYPE") == nil && getenv(MatrixLibrary.reexecutionMarker) == nil
      exit(usersStays && oursIsGone ? 7 : 1)
    }
  }

  @Test func aVariableThatThisMachineCannotFollowIsAFault() {
    func fault(_ level: String?, _ precision: String?) -> String? {
      MatrixLibrary.environmentFault(refusedLevel: level, autoPrecision: precision)
    }
    #expect(fault(nil, nil) == nil && fault(nil, "fp32") == nil && fault(nil, "bf16") == nil)
    #expect(
      fault(nil, "FP32")
        == "APUS_AUTO_PRECISION is \"FP32\", which is no precision: set it to fp32 or bf16, or "
        + "unset it.")
    let level = fault("x86-64-v5", "bf16")
    #expect(
      level?.hasPrefix("APUS_CPU_LEVEL is \"x86-64-v5\", which is no level of this CPU") == true)
    #expect(level?.contains(MatrixLibrary.kernelLevel) == true)
    #expect(MatrixLibrary.environmentFault == nil)
  }

  @Test func theEnvironmentDecidesWhatAutoTakes() async {
    await #expect(processExitsWith: .success) {
      setenv("APUS_AUTO_PRECISION", BF16Products.areFast ? "fp32" : "bf16", 1)
      #expect(MatrixLibrary.bf16IsFaster != BF16Products.areFast)
    }
    await #expect(processExitsWith: .success) {
      setenv("APUS_AUTO_PRECISION", "", 1)
      #expect(MatrixLibrary.bf16IsFaster == BF16Products.areFast)
      #expect(MatrixLibrary.environmentFault == nil)
    }
  }

  /// The description names the bf16 kernels, including those of the skinny GEMM, only for bf16.
  @Test func theDescriptionNamesTheKernelsThatDecideTheBits() {
    let (plain, bf16) = (MatrixLibrary.description(for: .fp32), MatrixLibrary.description)
    #expect(bf16 == MatrixLibrary.description(for: .bf16))
    #expect(bf16.hasPrefix(plain) && !plain.contains("oneDNN") && bf16.contains("oneDNN"))
    #expect(
      bf16.hasSuffix(
        apus_bf16_pairs_are_faster() ? "skinny GEMM by bf16 pairs" : "skinny GEMM by fp32"))
  }
}
