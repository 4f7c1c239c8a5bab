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
}
