import DataParallel
import Tensors

/// The matrix products of a GPT-2 training step, with their shapes and without anything else: an
/// upper bound of the speed of a step with the same libraries.
///
/// Every weight is its own matrix, so that it is read from memory as in a step. Legend: R rows
/// (positions) of a micro-batch, C width, V vocabulary, D head dimension.
struct StepProducts {
  private let model: TrainedModel
  private let rows: Int
  private let workspace: Workspace
  /// Inputs and outputs of the linear layers of a block.
  private let linears: [(inputs: Int, outputs: Int)]
  /// The weights [inputs, outputs] of all blocks in order, then the head [V, C].
  private let weights: [Tensor]
  /// All other operands, by shape.
  private let operands: [[Int]: Tensor]

  /// Measures tokens per second of the median step.
  static func measure(_ model: TrainedModel, _ precision: Precision, workers: Int) throws
    -> Reading
  {
    let microBatches = model.microBatches(workers: workers)
    let pool = try WorkerPool(count: workers)
    defer { pool.stop() }
    let seconds = TallySlots(count: workers * 5)
    try pool.run { thread in
      let own = (0..<microBatches).filter { $0 % workers == thread }
      guard !own.isEmpty else { return }
      let products = StepProducts(
        model, rows: model.batch / microBatches * model.context,
        in: Workspace(precision: precision))
      for step in 0..<5 {
        var clock = Stopwatch()
        for _ in own { products.run() }
        seconds[step * workers + thread] = Tally(sum: clock.lap(), count: 1)
      }
    }
    // A step waits for its slowest thread.
    let steps = (0..<5).map { step in
      (0..<workers).map { seconds[step * workers + $0].sum }.max() ?? 0
    }
    return ["rate": Double(model.batch * model.context) / Array(steps.dropFirst(2)).median]
  }

  private init(_ model: TrainedModel, rows: Int, in workspace: Workspace) {
    self.model = model
    self.rows = rows
    self.workspace = workspace
    let width = model.width
    linears = [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)]
    // A tensor is bf16 in memory only as the result of an operation.
    let operand = { (shape: [Int]) in
      Tensor(repeating: 0.5, shape: [shape[0], 1], in: workspace).linear(
        weight: Tensor(repeating: 0.5, shape: [1, shape[1]], in: workspace),
        order: .inputsByOutputs)
    }
    weights =
      (0..<model.layers).flatMap { [linears] _ in linears.map { operand([$0.inputs, $0.outputs]) } }
      + [operand([model.vocabulary, width])]
    let dim = width / model.heads
    let shapes =
      [width, 3 * width, 4 * width, model.vocabulary].flatMap { [[rows, $0], [$0, rows]] }
      + stride(from: StepProducts.block, through: model.context, by: StepProducts.block).flatMap {
        [[StepProducts.block, $0], [$0, StepProducts.block], [$0, dim], [dim, $0]]
      }
    operands = Dictionary(shapes.map { ($0, operand($0)) }, uniquingKeysWith: { first, _ in first })
  }

  /// Query rows per block of attention.
  private static let block = 64

  /// Runs all products of one micro-batch.
  private func run() {
    for layer in 0..<model.layers {
      for (place, linear) in linears.enumerated() {
        let weight = weights[layer * linears.count + place]
        // In a step, results that are only operands of products are bf16.
        let isOperand = place == 0 || place == 2
        multiply([rows, linear.inputs], weight, .inputsByOutputs, fp32Output: !isOperand)
        multiply([rows, linear.outputs], weight, .outputsByInputs)
        multiply([linear.inputs, rows], operand([rows, linear.outputs]), .inputsByOutputs)
      }
      attend()
    }
    multiply([rows, model.width], weights[weights.count - 1], .outputsByInputs)
    multiply([rows, model.vocabulary], weights[weights.count - 1], .inputsByOutputs)
    multiply([model.vocabulary, rows], operand([rows, model.width]), .inputsByOutputs)
  }

  /// Runs the products of attention in one block: per head and block of queries, two forward
  /// (scores, output) and five backward (recomputed scores, and the derivatives of v,
  /// probabilities, q, k).
  private func attend() {
    let dim = model.width / model.heads
    let block = StepProducts.block
    for _ in 0..<rows / model.context * model.heads {
      for keys in stride(from: block, through: model.context, by: block) {
        for _ in 0..<3 { multiply([block, dim], operand([keys, dim]), .outputsByInputs) }
        for _ in 0..<2 { multiply([block, keys], operand([keys, dim]), .inputsByOutputs) }
        for _ in 0..<2 { multiply([keys, block], operand([block, dim]), .inputsByOutputs) }
      }
    }
  }

  private func operand(_ shape: [Int]) -> Tensor {
    guard let operand = operands[shape] else { preconditionFailure("no operand \(shape)") }
    return operand
  }

  private func multiply(
    _ shape: [Int], _ weight: Tensor, _ order: WeightOrder, fp32Output: Bool = true
  ) {
    _ = operand(shape).linear(weight: weight, order: order, fp32Output: fp32Output)
  }
}
