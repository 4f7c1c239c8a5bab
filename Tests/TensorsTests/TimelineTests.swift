import Testing

@testable import Tensors

/// The spans that a workspace records in its timeline.
@Suite struct TimelineTests {
  private static func spans(
    _ precision: Precision, _ shapes: [Int]..., operation: ([Tensor]) -> Tensor
  ) -> [Timeline.Span] {
    let workspace = Workspace(precision: precision)
    let points = shapes.enumerated().map { workspace.probe($1, $0).differentiable }
    let timeline = Timeline()
    workspace.timeline = timeline
    workspace.backward(from: workspace.recording { operation(points) })
    return timeline.spans
  }

  @Test(arguments: Precision.allCases) func operationsAreNamedAndCounted(precision: Precision) {
    let spans = Self.spans(precision, [5, 7], [7, 3]) {
      $0[0].linear(weight: $0[1], order: .inputsByOutputs, fp32Output: true).gelu().sum()
    }
    #expect(
      spans.map { "\($0.name) \($0.phase)" } == [
        "linear 7→3 forward", "gelu forward", "sum forward", "sum backward", "gelu backward",
        "linear 7→3 backward",
      ])
    #expect(spans[0].operations == 2 * 5 * 7 * 3 && spans[5].operations == 4 * 5 * 7 * 3)
    #expect(spans[1].operations == 0 && spans[1].bytes == 2 * 4 * 15)
    for (before, after) in zip(spans, spans.dropFirst()) {
      #expect(before.start + before.duration <= after.start + after.duration)
    }
  }

  /// Query rows in blocks of 64 read all keys up to the end of their block.
  @Test func attentionCountsItsFLOPs() {
    let (sequences, length, heads, dim) = (2, 100, 2, 8)
    let spans = Self.spans(.fp32, [sequences * length, 3 * heads * dim]) {
      $0[0].packedCausalAttention(sequences: sequences, heads: heads).sum()
    }
    let product = Double(2 * sequences * heads * dim * (64 * 64 + 36 * 100))
    #expect(spans[0].operations == 2 * product)
    #expect(spans[3].operations == 5 * product)
  }

  /// The recomputation has its own span, and no operation is reported twice.
  @Test func recomputedOperationsHaveASecondForwardSpan() {
    let spans = Self.spans(.fp32, [4, 6]) { $0[0].recomputed { $0.gelu() }.sum() }
    #expect(
      spans.map { "\($0.name) \($0.phase)" } == [
        "gelu forward", "sum forward", "sum backward", "gelu forward", "gelu backward",
      ])
  }

  /// Copied rows count as read and written; views count as 0 bytes.
  @Test func bytesCountCopiedElements() {
    func bytes(_ operation: (Tensor) -> Tensor) -> Int {
      Int(Self.spans(.fp32, [100, 8]) { operation($0[0]).sum() }[0].bytes)
    }
    #expect(bytes { $0.gather([3, 1, 4]) } == 2 * 3 * 32)
    #expect(bytes { $0[columns: 2..<5] } == 2 * 100 * 12)
    #expect(bytes { $0.reshaped([8, 100]) } == 0)
    #expect(bytes { $0[rows: 5..<7] } == 0)
    #expect(bytes { $0 * 2 } == 2 * 100 * 32)
  }

  /// An evaluation between two steps adds no spans and no FLOPs.
  @Test(arguments: Precision.allCases) func unrecordedOperationsAreNotCounted(precision: Precision)
  {
    let workspace = Workspace(precision: precision)
    let (x, weight) = (workspace.probe([5, 7], 1), workspace.probe([7, 3], 2))
    let timeline = Timeline()
    workspace.timeline = timeline
    let layer = {
      x.differentiable.linear(weight: weight, order: .inputsByOutputs, fp32Output: true)
    }
    _ = layer()
    workspace.backward(from: workspace.recording { layer().sum() })
    _ = layer()
    workspace.backward(from: workspace.recording { layer().sum() })
    let products = timeline.spans.filter { $0.operations > 0 }
    // The weight has no gradient.
    let product = Double(2 * 5 * 7 * 3)
    #expect(products.map(\.operations) == [product, product, product, product])
    #expect(workspace.productOperations == 0)
  }

  @Test func withoutATimelineNothingIsCounted() {
    let workspace = Workspace()
    _ = workspace.recording {
      workspace.probe([2, 2], 1).differentiable.linear(
        weight: workspace.probe([2, 2], 2), order: .inputsByOutputs)
    }
    #expect(workspace.productOperations == 0)
  }
}
