import Foundation
import MPI
import Models
import Objectives
import Tensors
import TestWorld
import Testing

@testable import DataParallel
@testable import Training

/// Two rounds of DiLoCo against PyTorch's optimizers: Goldens/diloco.py.
@Suite(.serialized, .worldInTurn) struct DiLoCoGoldenTests {
  private struct Golden: Decodable {
    let losses: [Double]
    let outerGradientNorms: [Double]
    let weights: [String: [Float]]
  }

  /// The cross-entropy of the tokens of Goldens/diloco.py.
  private struct FormulaTokens: Objective {
    let rows: Int
    let context: Int

    func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
      -> MicroBatchLoss
    {
      let token = { (place: Int) in
        Int32(
          (microBatch.step * 977 + microBatch.index * 389 + place * place * 31 + place * 7) % 251)
      }
      replica.batch.begin(sequences: rows, context: context)
      for row in 0..<rows {
        for position in 0..<context {
          let place = row * (context + 1) + position
          replica.batch.inputs[row * context + position] = token(place)
          replica.batch.targets[row * context + position] = token(place + 1)
          replica.batch.weights[row * context + position] = 1
        }
      }
      let losses = replica.model.tokenLosses(replica.batch, replica.batch.pass(microBatch))
      return MicroBatchLoss(
        loss: Loss(losses, count: replica.batch.weight), tokens: rows * context)
    }

    func epochs(steps: Int) -> Double { 0 }
  }

  @Test(arguments: [1, 2]) func twoRoundsEqualPyTorch(threads: Int) throws {
    // Also sets the cache folder of the machine's peak.
    let folder = try SharedFolder(try SharedWorld.communicator())
    defer { withExtendedLifetime(folder) {} }
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Goldens/diloco.json")
    let golden = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: path))
    let plan = try plan([
      "precision=fp32", "model.dropout=0", "model.context=8", "batch.sequences=2",
      "batch.microBatches=4", "steps=6", "schedule.name=constant", "schedule.warmup=0",
      "optimizer.learningRate=3e-3", "optimizer.betas=[0.9, 0.99]", "sync=diloco",
      "diloco.workers=2", "diloco.innerSteps=3",
    ])
    let trainer = try Trainer(
      plan, world: try Self.evenRanks(), workers: .init(threads: threads, cores: nil),
      objective: FormulaTokens(rows: plan.rows, context: plan.context))
    let names = trainer.replicas.layout.entries.map(\.name).sorted()
    #expect(names == golden.weights.keys.sorted())
    for entry in trainer.replicas.layout.entries {
      let number = try #require(names.firstIndex(of: entry.name))
      let isScale = ["ln_1.weight", "ln_2.weight", "ln_f.weight"].contains {
        entry.name.hasSuffix($0)
      }
      for (place, element) in entry.range.enumerated() {
        let value = Double((place * 7919 + number * 104_729) % 2003 - 1001) / 10_010
        trainer.replicas.parameters.elements[element] = Float(isScale ? 1 + value : value)
      }
    }
    let reports = try [trainer.round(), trainer.round()].flatMap(\.self)
    #expect(reports.map(\.step) == Array(1...6))
    var worst = 0.0
    for (report, loss) in zip(reports, golden.losses) {
      worst = max(worst, abs(report.loss - loss))
      #expect(abs(report.loss - loss) < 1e-5, "step \(report.step): \(report.loss), not \(loss)")
    }
    let norms = reports.flatMap(\.figures).filter { $0.name == "outerGradientNorm" }.map(\.value)
    #expect(norms.count == 2)
    for (norm, expected) in zip(norms, golden.outerGradientNorms) {
      #expect(abs(norm - expected) < 1e-4 * expected, "\(norm), not \(expected)")
    }
    var apart: Float = 0
    for entry in trainer.replicas.layout.entries {
      let values = trainer.replicas.parameters.elements[entry.range]
      for (value, expected) in zip(values, golden.weights[entry.name] ?? []) {
        apart = max(apart, abs(value - expected))
      }
    }
    #expect(apart < 2e-5, "weights are up to \(apart) apart")
    print("DiLoCo and PyTorch: losses up to \(worst), weights up to \(apart) apart")
  }

  /// Ranks 0 to 2^n − 1 of the world, which can be divided over any power of two of workers; the others
  /// are alone.
  static func evenRanks() throws -> Communicator {
    let world = try SharedWorld.communicator()
    let size = 1 << (Int.bitWidth - 1 - world.size.leadingZeroBitCount)
    return try world.split(color: world.rank < size ? 0 : world.rank)
  }
}
