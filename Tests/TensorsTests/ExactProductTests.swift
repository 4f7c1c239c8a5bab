import Testing

@testable import Tensors

/// The products with which a library is checked on every machine.
@Suite struct ExactProductTests {
  @Test(arguments: Precision.allCases)
  func theLibraryComputesThemExactly(precision: Precision) {
    #expect(ExactProduct.wrongShapes(in: precision) == [])
  }

  /// The known hash is that of a plain loop.
  @Test func theHashOfTheBenchmarkIsThatOfAPlainLoop() {
    let workspace = Workspace()
    let product = ExactProduct(.benchmark, in: workspace)
    product.run()
    #expect(product.isRight)
    #expect(product.hash == ExactProduct.Shape.benchmarkHash)
  }

  @Test func oneWrongElementIsFound() {
    let workspace = Workspace()
    for shape in ExactProduct.Shape.checks {
      let product = ExactProduct(shape, in: workspace)
      product.run()
      #expect(product.isRight)
      let hash = product.hash
      product.change(element: shape.m * shape.n - 1)
      #expect(!product.isRight && product.hash != hash)
    }
  }

  @Test func theSpeedOfACoreIsBelowItsPeak() {
    let peak = CoreSpeed.multiplyAdds(seconds: 0.05)
    let (flops, isRight) = CoreSpeed.products(in: .fp32, seconds: 0.05)
    #expect(isRight && peak > 1e9)
    #expect(flops > 0 && flops < 1.2 * peak, "\(flops) of \(peak)")
  }
}
