import Layers
import Models
import Testing

@testable import Tensors

/// Dropout before LoRA adapters.
@Suite struct LoRADropoutTests {
  private struct Pair {
    let one: Linear
    let two: Linear

    init(_ parameters: Parameters) {
      one = Linear(parameters["one"], inputs: 20, outputs: 20, bias: false, std: 1)
      two = Linear(parameters["two"], inputs: 20, outputs: 20, bias: false, std: 1)
    }
  }

  private let lora = LoRA(rank: 4, alpha: 8, dropout: 0.4, targets: ["one", "two"])
  private let source = DropoutSource(seed: 1, step: 2, microBatch: 3)

  /// Returns two linear layers with the same weights, both with adapters.
  private func pair(in workspace: Workspace) throws -> (Pair, trainable: FlatBuffer, AdaptedLayout)
  {
    let layouts = try AdaptedLayout(of: Pair.init, lora: lora)
    let (frozen, trainable) = (
      FlatBuffer(count: layouts.frozen.count), FlatBuffer(count: layouts.trainable.count)
    )
    for buffer in [frozen, trainable] {
      let half = buffer.elements.count / 2
      for place in 0..<half {
        buffer.elements[place] = Float(place * 37 % 19) * 0.05 - 0.45
        buffer.elements[half + place] = buffer.elements[place]
      }
    }
    let pair = workspace.bind(
      layouts.trainable, values: trainable,
      frozen: FrozenParameters(
        layout: layouts.frozen, values: frozen, precision: workspace.precision), Pair.init)
    return (pair, trainable, layouts)
  }

  private func input(in workspace: Workspace) -> Tensor {
    Tensor((0..<100).map { Float($0 * 7 % 23) * 0.1 - 1 }, shape: [5, 20], in: workspace)
  }

  @Test(arguments: Precision.allCases) func everyAdapterHasMasksOfItsOwn(precision: Precision)
    throws
  {
    let workspace = Workspace(precision: precision)
    let (pair, _, _) = try pair(in: workspace)
    let x = input(in: workspace)
    let pass = ForwardPass(sequences: 1, dropout: source)
    let plain = ForwardPass(sequences: 1)
    #expect(pair.one(x, plain).values == pair.two(x, plain).values)
    #expect(pair.one(x, pass).values != pair.two(x, pass).values)
    #expect(pair.one(x, pass).values != pair.one(x, plain).values)
    #expect(pair.one(x, pass).values == pair.one(x, pass).values)
    let later = ForwardPass(
      sequences: 1, dropout: DropoutSource(seed: 1, step: 3, microBatch: 3))
    #expect(pair.one(x, pass).values != pair.one(x, later).values)
  }

  /// With the same masks, the loss rises by |g|² per unit step along the gradient g.
  @Test func gradientsUseTheMasksOfTheForwardPass() throws {
    let workspace = Workspace()
    let (pair, trainable, layouts) = try pair(in: workspace)
    let x = input(in: workspace)
    let pass = ForwardPass(sequences: 1, dropout: source)
    let loss = { (pair.one(x, pass).gelu() * pair.two(x, pass)).sum() }
    let gradient = FlatBuffer(count: layouts.trainable.count)
    workspace.beginGradients(into: gradient)
    workspace.backward(from: workspace.recording(loss)) { _ in }
    let square = gradient.elements.reduce(0) { $0 + Double($1) * Double($1) }
    let unit = 0.01 / square.squareRoot()
    func moved(_ distance: Double) -> Double {
      for place in gradient.elements.indices {
        trainable.elements[place] += Float(distance * Double(gradient.elements[place]))
      }
      return Double(loss().scalar)
    }
    let (above, below) = (moved(unit), moved(-2 * unit))
    let derivative = (above - below) / (2 * unit)
    #expect(abs(derivative / square - 1) < 0.01, "derivative \(derivative), |g|² \(square)")
  }
}
