import TestFolders
import Testing

@testable import Checkpoints

@Suite struct TrainingStateTests {
  private let folder: TemporaryFolder
  private let checkpoint: Checkpoint

  init() throws {
    folder = try TemporaryFolder()
    checkpoint = try SavedCheckpoint.save(step: 7, in: CheckpointStore(path: folder.path))
  }

  /// Writes a state into the checkpoint, and reads it.
  private func read(_ change: (inout TrainingState) -> Void) throws -> TrainingState {
    var state = TrainingState(settings: ["seed": "1"])
    (state.step, state.tokensSeen) = (7, 700)
    change(&state)
    try folder.write(try state.encoded(), to: "step-00000007/state.json")
    return try TrainingState(from: checkpoint)
  }

  @Test func aStateReadsBack() throws {
    let best = TrainingState.Best(step: 5, loss: 1.5)
    let skipped = [
      SkippedSteps(2, through: 2, .step, reason: "its loss is nan", loss: .nan, gradientNorm: 3),
      SkippedSteps(4, through: 9, .range, reason: "undone", rollbacks: 1),
    ]
    let window = SpikeWindow(losses: [1, 2], gradientNorms: [3, 4])
    let state = try read {
      ($0.best, $0.skipped, $0.spikeWindow, $0.firstStep) = (best, skipped, window, 1)
    }
    #expect(state.skipped == skipped && state.spikeWindow == window && state.firstStep == 1)
    #expect(state.step == 7 && state.tokensSeen == 700 && state.best == best)
    #expect(state.settings == ["seed": "1"])
  }

  /// Values that no run writes, such as a step that is not the checkpoint's.
  static let impossible: [@Sendable (inout TrainingState) -> Void] = [
    { $0.step = 8 }, { $0.step = -1 }, { $0.step = .min }, { $0.tokensSeen = -1 },
    { $0.tokensSeen = .max }, { $0.best = .init(step: 8, loss: 1) },
    { $0.best = .init(step: -5, loss: 1) }, { $0.firstStep = 8 }, { $0.firstStep = -1 },
    { $0.skipped = [.init(8, through: 8, .step, reason: "")] },
    { $0.skipped = [4, 4].map { .init($0, through: $0, .step, reason: "") } },
    { $0.skipped = [.init(4, through: 5, .step, reason: "")] },
  ]

  @Test(arguments: impossible.indices) func impossibleValuesAreDamage(index: Int) {
    #expect {
      try read(Self.impossible[index])
    } throws: {
      if case .damaged? = $0 as? CheckpointError { true } else { false }
    }
  }
}
