import CKernels
import COpenBLAS

/// A factor of a matrix product: rows with a stride, optionally read transposed.
struct Matrix {
  let base: UnsafeRawPointer
  let type: ElementType
  let rowStride: Int
  var transposed = false
  /// Keeps the memory alive during the product; nil where a surrounding scope does.
  var owner: Storage?
}

extension Matrix {
  init(_ pointer: UnsafePointer<Float>, rowStride: Int, transposed: Bool = false) {
    self.init(base: pointer, type: .float32, rowStride: rowStride, transposed: transposed)
  }

  /// The rows of `tensor`, without padding.
  init(_ tensor: Tensor, transposed: Bool = false) {
    self.init(
      base: tensor.base, type: tensor.type, rowStride: tensor.columns, transposed: transposed,
      owner: tensor.storage)
  }

  /// Returns the submatrix that begins at element (`row`, `column`) in memory order.
  func from(row: Int, column: Int = 0) -> Matrix {
    Matrix(
      base: base + (row * rowStride + column) * type.stride, type: type, rowStride: rowStride,
      transposed: transposed, owner: owner)
  }

  /// Returns the submatrix that begins at row `row` as read, that is, after transposition.
  func from(readRow row: Int) -> Matrix { transposed ? from(row: 0, column: row) : from(row: row) }

  /// Returns the submatrix that begins at column `column` as read, that is, after transposition.
  func from(readColumn column: Int) -> Matrix {
    transposed ? from(row: column) : from(row: 0, column: column)
  }

  var order: CBLAS_TRANSPOSE { transposed ? CblasTrans : CblasNoTrans }
  var floats: UnsafePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}

/// The destination of a matrix product: rows with a stride.
struct MatrixDestination {
  let base: UnsafeMutableRawPointer
  let type: ElementType
  let rowStride: Int
}

extension MatrixDestination {
  init(_ pointer: UnsafeMutablePointer<Float>, rowStride: Int) {
    self.init(base: pointer, type: .float32, rowStride: rowStride)
  }

  init(_ tensor: Tensor) {
    self.init(base: tensor.base, type: tensor.type, rowStride: tensor.columns)
  }

  func from(row: Int, column: Int) -> MatrixDestination {
    MatrixDestination(
      base: base + (row * rowStride + column) * type.stride, type: type, rowStride: rowStride)
  }

  var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}

extension Tensor {
  /// The address of the elements, for any element type.
  var base: UnsafeMutableRawPointer { storage.base + offset * type.stride }
}

extension Workspace {
  /// C = A·B (+ bias in every row) (+ C), in row-major order.
  ///
  /// Both factors have the same type. fp32 factors need an fp32 C; bf16 factors allow both types.
  /// Sizes may be zero.
  ///
  /// - Parameters:
  ///   - m: Rows of A (as read) and C.
  ///   - n: Columns of B (as read) and C.
  ///   - k: Columns of A, rows of B.
  ///   - bias: n numbers; not allowed together with `adds`.
  ///   - adds: True to add to the values of C, which must be fp32.
  ///   - ascending: True to compute every element as one sum over ascending k; see
  ///     `multiplyAscending`.
  func multiply(
    _ a: Matrix, _ b: Matrix, into c: MatrixDestination, m: Int, n: Int, k: Int,
    bias: UnsafePointer<Float>? = nil, adds: Bool = false, ascending: Bool = false
  ) {
    precondition(a.type == b.type, "a product of \(a.type) and \(b.type)")
    precondition(bias == nil || !adds, "a product with a bias cannot add to its destination")
    precondition(c.type == .float32 || !adds, "a product can add to fp32 only")
    guard m > 0 && n > 0 else { return }
    count(operations: 2 * Double(m) * Double(n) * Double(k))
    let tile = tile(m: m, n: n, type: a.type, ascending: ascending)
    let columns = (n + tile.columns - 1) / tile.columns
    withExtendedLifetime((a.owner, b.owner)) {
      forEach((m + tile.rows - 1) / tile.rows * columns) { index, lane in
        let (row, column) = (index / columns * tile.rows, index % columns * tile.columns)
        multiplyPanel(
          a.from(readRow: row), b.from(readColumn: column),
          into: c.from(row: row, column: column), m: min(tile.rows, m - row),
          n: min(tile.columns, n - column), k: k, bias: bias.map { $0 + column }, adds: adds,
          ascending: ascending, lane: lane)
      }
    }
  }

  /// Returns the size of the tiles that a product is cut into.
  ///
  /// It depends on the product's sizes alone, so the bits do not depend on the team.
  ///
  /// Every tile packs its factors again, which narrow tiles do not amortize; an even number of
  /// tiles balances a team.
  private func tile(m: Int, n: Int, type: ElementType, ascending: Bool) -> (
    rows: Int, columns: Int
  ) {
    func part(_ size: Int, most: Int, multipleOf step: Int) -> Int {
      ((size + most - 1) / most + step - 1) / step * step
    }
    // With few rows the cost is reading B. With more rows, the skinny GEMM keeps rows of A and C in
    // the cache, and oneDNN a panel of B.
    if (ascending || type == .bfloat16) && m <= Workspace.skinny {
      return (m, max(128, part(n, most: 16, multipleOf: 64)))
    }
    if ascending {
      return (part(m, most: (m + 191) / 192, multipleOf: 12), part(n, most: 2, multipleOf: 64))
    }
    if type == .bfloat16 && !bf16Products[0].expands {
      return (m, max(128, part(n, most: 8, multipleOf: 16)))
    }
    // Factors that are expanded first must fit into the cache.
    let isExpanded = type == .bfloat16
    let panels = max(1, min(n / 576, isExpanded ? Int.max : 8) / 2 * 2)
    let rowPanels = panels == 1 && m >= 512 ? 2 : 1
    let rows = part(m, most: rowPanels, multipleOf: 16)
    return (isExpanded ? min(1024, rows) : rows, part(n, most: panels, multipleOf: 16))
  }

  /// Computes the product as one tile on one thread of the team; see `multiply`.
  func multiplyPanel(
    _ a: Matrix, _ b: Matrix, into c: MatrixDestination, m: Int, n: Int, k: Int,
    bias: UnsafePointer<Float>? = nil, adds: Bool = false, ascending: Bool = false, lane: Int
  ) {
    let isOwn = ascending || a.type == .bfloat16 && m <= Workspace.skinny && !a.transposed
    if isOwn && k > 0 {
      return multiplyAscending(a, b, into: c, m: m, n: n, k: k, bias: bias, adds: adds)
    }
    if a.type == .bfloat16 && k > 0 {
      return bf16Products[lane].multiply(a, b, into: c, m: m, n: n, k: k, bias: bias, adds: adds)
    }
    precondition(c.type == .float32, "an fp32 product into \(c.type)")
    if let bias {
      for row in 0..<m { (c.floats + row * c.rowStride).update(from: bias, count: n) }
    }
    guard k > 0 else {
      if bias == nil && !adds {
        for row in 0..<m { (c.floats + row * c.rowStride).update(repeating: 0, count: n) }
      }
      return
    }
    cblas_sgemm(
      CblasRowMajor, a.order, b.order, blasint(m), blasint(n), blasint(k), 1, a.floats,
      blasint(a.rowStride), b.floats, blasint(b.rowStride), bias != nil || adds ? 1 : 0, c.floats,
      blasint(c.rowStride))
  }
}
