import Testing

@testable import Tensors

/// What a workspace tells of its operations.
@Suite struct TimelineTests {
  private static func spans(
    _ precision: Precision, _ shapes: [Int]..., operation: ([Tensor]) -> Tensor
  ) -> [Timeline.Span] {
    let workspace = Workspace(precision: precision)
    let points = shapes.enumerated().map { workspace.trial($1, $0).differentiable }
    let timeline = Timeline()
    workspace.timeline = timeline
    workspace.backward(from: workspace.recording { operation(points) })
    return timeline.spans
  }

  @Test(arguments: Precision.allCases) func operationsAreNamedAndCounted(precision: Precision) {
    let spans = Self.spans(precision, [5, 7], [7, 3]) {
      $0[0].linear(weight: $0[1], order: .inputsByOutputs, precise: true).gelu().sum()
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

  /// T query rows in blocks of 64 see all keys up to the end of their block.
  @Test func attentionCountsWhatItComputes() {
    let (sequences, length, heads, dim) = (2, 100, 2, 8)
    let spans = Self.spans(.fp32, [sequences * length, 3 * heads * dim]) {
      $0[0].packedCausalAttention(sequences: sequences, heads: heads).sum()
    }
    let product = Double(2 * sequences * heads * dim * (64 * 64 + 36 * 100))
    #expect(spans[0].operations == 2 * product)
    #expect(spans[3].operations == 5 * product)
  }

  /// The second computation shows, and nothing is told twice.
  @Test func whatIsComputedAgainIsToldAgain() {
    let spans = Self.spans(.fp32, [4, 6]) { $0[0].recomputed { $0.gelu() }.sum() }
    #expect(
      spans.map { "\($0.name) \($0.phase)" } == [
        "gelu forward", "sum forward", "sum backward", "gelu forward", "gelu backward",
      ])
  }

  @Test func withoutATimelineNothingIsCounted() {
    let workspace = Workspace()
    _ = workspace.recording {
      workspace.trial([2, 2], 1).differentiable.linear(
        weight: workspace.trial([2, 2], 2), order: .inputsByOutputs)
    }
    #expect(workspace.productOperations == 0)
  }
}
