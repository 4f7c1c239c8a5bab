import CKernels
import Glibc
import Testing

@testable import Tensors

/// Which kernels OpenBLAS should have taken.
@Suite struct MatrixLibraryTests {
  @Test func onlyKernelsOfOldCPUsAreReplaced() {
    #expect(MatrixLibrary.betterCore(than: "Prescott", level: "x86-64-v4") == "SkylakeX")
    #expect(MatrixLibrary.betterCore(than: "Core2", level: "x86-64-v3") == "Haswell")
    #expect(MatrixLibrary.betterCore(than: "Prescott", level: "default") == nil)
    for core in ["Haswell", "Zen", "SkylakeX", "Cooperlake", "Sapphirerapids", "ARMV8"] {
      #expect(MatrixLibrary.betterCore(than: core, level: "x86-64-v4") == nil)
    }
  }

  /// A program that is started from here gets the user's choice, and no other.
  @Test func ourChoiceOfKernelsEndsWithThisProgram() async {
    await #expect(processExitsWith: .exitCode(7)) {
      setenv("OPENBLAS_CORETYPE", "Haswell", 1)
      MatrixLibrary.restartIfKernelsAreOutdated()
      let usersStays = getenv("OPENBLAS_CORETYPE") != nil
      setenv(MatrixLibrary.restarted, "1", 1)
      MatrixLibrary.restartIfKernelsAreOutdated()
      let oursIsGone =
        getenv("OPENBLAS_CORETYPE") == nil && getenv(MatrixLibrary.restarted) == nil
      exit(usersStays && oursIsGone ? 7 : 1)
    }
  }

  /// Kernels of bf16, also those of few rows, are told where bf16 is used.
  @Test func theDescriptionTellsWhatDecidesTheBits() {
    let (plain, half) = (MatrixLibrary.description(for: .fp32), MatrixLibrary.description)
    #expect(half == MatrixLibrary.description(for: .bf16))
    #expect(half.hasPrefix(plain) && !plain.contains("oneDNN") && half.contains("oneDNN"))
    #expect(half.hasSuffix(apus_half_pairs_are_quick() ? "rows by bf16 pairs" : "rows by fp32"))
  }
}
