import CKernels
import COpenBLAS

/// A factor of a product: rows at a fixed distance in memory, possibly to be read transposed.
struct Matrix {
  let base: UnsafeRawPointer
  let type: ElementType
  let pitch: Int
  let transposed: Bool
  /// Keeps the memory while the product runs; nil where a scope does.
  let owner: Storage?

  init(_ pointer: UnsafePointer<Float>, pitch: Int, transposed: Bool = false) {
    self.init(base: pointer, type: .float32, pitch: pitch, transposed: transposed)
  }

  init(_ pointer: UnsafePointer<UInt16>, pitch: Int, transposed: Bool = false) {
    self.init(base: pointer, type: .bfloat16, pitch: pitch, transposed: transposed)
  }

  init(
    base: UnsafeRawPointer, type: ElementType, pitch: Int, transposed: Bool = false,
    owner: Storage? = nil
  ) {
    self.base = base
    self.type = type
    self.pitch = pitch
    self.transposed = transposed
    self.owner = owner
  }

  /// The rows of `tensor`.
  init(_ tensor: Tensor, transposed: Bool = false) {
    self.init(
      base: tensor.base, type: tensor.type, pitch: tensor.columns, transposed: transposed,
      owner: tensor.storage)
  }

  /// Element (`row`, `column`) of what lies in memory becomes the first.
  func from(row: Int, column: Int = 0) -> Matrix {
    Matrix(
      base: base + (row * pitch + column) * type.stride, type: type, pitch: pitch,
      transposed: transposed, owner: owner)
  }

  /// Row `row` as read becomes the first.
  func from(readRow row: Int) -> Matrix { transposed ? from(row: 0, column: row) : from(row: row) }

  /// Column `column` as read becomes the first.
  func from(readColumn column: Int) -> Matrix {
    transposed ? from(row: column) : from(row: 0, column: column)
  }

  var order: CBLAS_TRANSPOSE { transposed ? CblasTrans : CblasNoTrans }
  var floats: UnsafePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}

/// Where a product goes: rows at a fixed distance in memory.
struct MatrixDestination {
  let base: UnsafeMutableRawPointer
  let type: ElementType
  let pitch: Int

  init(_ pointer: UnsafeMutablePointer<Float>, pitch: Int) {
    self.init(base: pointer, type: .float32, pitch: pitch)
  }

  init(base: UnsafeMutableRawPointer, type: ElementType, pitch: Int) {
    self.base = base
    self.type = type
    self.pitch = pitch
  }

  init(_ tensor: Tensor) {
    self.init(base: tensor.base, type: tensor.type, pitch: tensor.columns)
  }

  func from(row: Int, column: Int) -> MatrixDestination {
    MatrixDestination(
      base: base + (row * pitch + column) * type.stride, type: type, pitch: pitch)
  }

  var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}

extension Tensor {
  /// The elements' address, whatever their type.
  var base: UnsafeMutableRawPointer { storage.base + offset * type.stride }
}

extension Workspace {
  /// C = A·B (+ bias in every row) (+ C), in row-major order.
  ///
  /// Both factors are of one type; only fp32 factors need an fp32 C. Sizes may be zero.
  ///
  /// - Parameters:
  ///   - m: Rows of A (as read) and C.
  ///   - n: Columns of B (as read) and C.
  ///   - k: Columns of A, rows of B.
  ///   - bias: n numbers, not together with `adds`.
  ///   - adds: Whether to add to what C holds.
  ///   - ascending: Whether every element is one sum over ascending k; see `multiplyAscending`.
  func multiply(
    _ a: Matrix, _ b: Matrix, into c: MatrixDestination, m: Int, n: Int, k: Int,
    bias: UnsafePointer<Float>? = nil, adds: Bool = false, ascending: Bool = false
  ) {
    precondition(a.type == b.type, "a product of \(a.type) and \(b.type)")
    precondition(bias == nil || !adds, "a product with a bias starts anew")
    precondition(c.type == .float32 || !adds, "a product adds to fp32 only")
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

  /// The pieces that a product is cut into, by its sizes alone: the same bits whoever computes them.
  ///
  /// Every piece packs its factors anew, which narrow ones do not pay; a team wants an even number.
  private func tile(m: Int, n: Int, type: ElementType, ascending: Bool) -> (
    rows: Int, columns: Int
  ) {
    func part(_ size: Int, most: Int, multipleOf step: Int) -> Int {
      ((size + most - 1) / most + step - 1) / step * step
    }
    // Few rows: bound by reading B. More by kernels of our own: rows of A and C stay in the cache.
    // oneDNN: a panel of B does.
    if (ascending || type == .bfloat16) && m <= Workspace.fewRows {
      return (m, max(128, part(n, most: 16, multipleOf: 64)))
    }
    if ascending {
      return (part(m, most: (m + 191) / 192, multipleOf: 12), part(n, most: 2, multipleOf: 64))
    }
    if type == .bfloat16 && !halfProducts[0].expands {
      return (m, max(128, part(n, most: 8, multipleOf: 16)))
    }
    // Factors that are expanded first are to stay in the cache.
    let isExpanded = type == .bfloat16
    let panels = max(1, min(n / 576, isExpanded ? Int.max : 8) / 2 * 2)
    let halves = panels == 1 && m >= 512 ? 2 : 1
    let rows = part(m, most: halves, multipleOf: 16)
    return (isExpanded ? min(1024, rows) : rows, part(n, most: panels, multipleOf: 16))
  }

  /// The same on one thread of the team, in one piece.
  func multiplyPanel(
    _ a: Matrix, _ b: Matrix, into c: MatrixDestination, m: Int, n: Int, k: Int,
    bias: UnsafePointer<Float>? = nil, adds: Bool = false, ascending: Bool = false, lane: Int
  ) {
    let isOwn = ascending || a.type == .bfloat16 && m <= Workspace.fewRows && !a.transposed
    if isOwn && k > 0 {
      return multiplyAscending(a, b, into: c, m: m, n: n, k: k, bias: bias, adds: adds)
    }
    if a.type == .bfloat16 && k > 0 {
      return halfProducts[lane].multiply(a, b, into: c, m: m, n: n, k: k, bias: bias, adds: adds)
    }
    precondition(c.type == .float32, "an fp32 product into \(c.type)")
    if let bias {
      for row in 0..<m { (c.floats + row * c.pitch).update(from: bias, count: n) }
    }
    guard k > 0 else {
      if bias == nil && !adds {
        for row in 0..<m { (c.floats + row * c.pitch).update(repeating: 0, count: n) }
      }
      return
    }
    cblas_sgemm(
      CblasRowMajor, a.order, b.order, blasint(m), blasint(n), blasint(k), 1, a.floats,
      blasint(a.pitch), b.floats, blasint(b.pitch), bias != nil || adds ? 1 : 0, c.floats,
      blasint(c.pitch))
  }
}
