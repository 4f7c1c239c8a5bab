/// A product of two square matrices in the workspace's precision, for measuring: 2·size³ operations.
public struct MatrixTrial {
  private let size: Int
  private let a: Tensor
  private let b: Tensor
  private let c: Tensor

  /// Takes the memory and touches it.
  public init(size: Int, in workspace: Workspace) {
    self.size = size
    a = Tensor(repeating: 0.5, shape: [size, size], in: workspace).operand
    b = Tensor(repeating: 0.25, shape: [size, size], in: workspace).operand
    c = Tensor(repeating: 0, shape: [size, size], in: workspace)
  }

  /// Operations of one run.
  public var operations: Double { 2 * Double(size) * Double(size) * Double(size) }

  /// Computes the product once.
  public func run() {
    c.workspace.multiply(
      Matrix(a), Matrix(b), into: MatrixDestination(c), m: size, n: size, k: size)
  }
}
