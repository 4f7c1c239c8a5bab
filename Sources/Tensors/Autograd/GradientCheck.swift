/// A comparison of the tape's gradients with central differences.
///
/// Goals in order: find any wrong backward pass; judge small and large values alike; stay simple.
/// The function is evaluated in 32 bits, so steps are large (about 1e-2 of the value), and
/// Richardson extrapolation removes the third-order error of the central difference: d ≈ (4·d(h/2)
/// − d(h))/3.
package struct GradientCheck {
  /// The largest error, relative to the largest derivative of its point (at least 1).
  package let worstError: Float
  /// A description of the largest error: point, element and both derivatives.
  package let place: String

  /// Checks every element of every point of a scalar function.
  ///
  /// - Parameters:
  ///   - points: The arguments of `function`.
  ///   - function: A scalar function; it must not keep state.
  package init(at points: [Tensor], of function: ([Tensor]) -> Tensor) {
    var worst: Float = 0
    var place = "nowhere"
    let (_, gradients) = valueWithGradient(at: points, of: function)
    for (index, point) in points.enumerated() {
      let analytic = gradients[index]?.values ?? [Float](repeating: 0, count: point.count)
      let size = max(1, analytic.map(abs).max() ?? 0)
      for element in 0..<point.count {
        let original = point.pointer[element]
        func difference(_ step: Float) -> Double {
          point.pointer[element] = original + step
          let above = Double(function(points).scalar)
          point.pointer[element] = original - step
          let below = Double(function(points).scalar)
          point.pointer[element] = original
          return (above - below) / Double(2 * step)
        }
        let step = 0.02 * max(1, abs(original))
        let numeric = Float((4 * difference(step / 2) - difference(step)) / 3)
        let error = abs(numeric - analytic[element]) / size
        if !(error <= worst) {
          worst = error
          place =
            "point \(index), element \(element): tape \(analytic[element]), "
            + "differences \(numeric)"
        }
      }
    }
    worstError = worst
    self.place = place
  }
}
