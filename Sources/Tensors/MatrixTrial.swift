/// A product of two square matrices, for measuring: 2·size³ operations.
public struct MatrixTrial {
  private let size: Int
  private let a: Tensor
  private let b: Tensor
  private let c: Tensor

  /// Takes the memory and touches it.
  public init(size: Int, in workspace: Workspace) {
    self.size = size
    a = Tensor(repeating: 0.5, shape: [size, size], in: workspace)
    b = Tensor(repeating: 0.25, shape: [size, size], in: workspace)
    c = Tensor(repeating: 0, shape: [size, size], in: workspace)
  }

  /// Operations of one run.
  public var operations: Double { 2 * Double(size) * Double(size) * Double(size) }

  /// Computes the product once.
  public func run() {
    multiply(
      Matrix(a.pointer, pitch: size), Matrix(b.pointer, pitch: size), into: c.pointer, pitch: size,
      m: size, n: size, k: size, beta: 0)
  }
}
