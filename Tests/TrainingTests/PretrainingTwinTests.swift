import Configuration
import Files
import Foundation
import MPI
import Tensors
import TestWorld
import Testing
import Tokenizers

@testable import Checkpoints
@testable import DataParallel
@testable import Datasets
@testable import Phases
@testable import Training

/// Writes the initial weights, batches and losses of a run for a twin in PyTorch, which takes the
/// same steps.
///
/// The twin is Goldens/twin.py; it sets APUS_TWIN to the folder, which has a `run.yaml`.
@Suite struct PretrainingTwinTests {
  private static let folder = ProcessInfo.processInfo.environment["APUS_TWIN"]

  @Test(.enabled(if: folder != nil, "APUS_TWIN names no folder: see Goldens/twin.py"))
  func writesTheStepsOfARunForItsTwin() throws {
    let folder = try #require(Self.folder)
    var reader = try ConfigurationReader(path: "\(folder)/run.yaml")
    let phase = try Pretraining(&reader)
    let (plan, world) = (phase.plan, try SharedWorld.communicator())
    let text = try String(contentsOfFile: "\(folder)/text.txt", encoding: .utf8)
    let tokens = TokenStream(
      plan.tokenizer.encode(text), vocabularySize: plan.model.vocabulary,
      endOfText: plan.tokenizer.endOfText)
    let trainer = try Trainer(
      plan, world: world, workers: .init(threads: 1, cores: nil),
      objective: try phase.objective(over: tokens))

    let files = ModelFiles(
      configuration: plan.network, layout: plan.network.layout,
      tokenizer: plan.tokenizer)
    let written = try files.write(UnsafeBufferPointer(trainer.replicas.parameters.elements)) {
      name throws(StorageError) in try DurableFile(creating: "\(folder)/first/\(name)")
    }
    for file in written { _ = try file.close() }
    let source = try phase.task.source(tokens, plan, replay: nil)
    var batch = Batch(sequences: plan.rows, context: plan.context)
    var (inputs, targets, weights): ([Int32], [Int32], [Float]) = ([], [], [])
    var (sources, lengths): ([Int32], [Int32]) = ([], [])
    for step in 0..<plan.steps {
      for index in 0..<plan.microBatches {
        try source.fill(&batch, step: step, microBatch: index)
        inputs += batch.inputs
        targets += batch.targets
        weights += batch.weights
        sources += batch.sources
        lengths += batch.sourceLengths
      }
    }
    let rows = plan.steps * plan.microBatches * plan.rows
    func write(_ name: String, _ dtype: SafeTensor.DType, _ bytes: UnsafeRawBufferPointer) throws {
      let shape = [plan.steps, rows / plan.steps, bytes.count / 4 / rows]
      var file = try DurableFile(creating: "\(folder)/\(name).safetensors")
      try SafeTensorsWriter([SafeTensor(name: name, dtype: dtype, shape: shape, bytes: bytes)])
        .write(to: &file)
      _ = try file.close()
    }
    for (name, ids) in [
      ("inputs", inputs), ("targets", targets), ("sources", sources), ("lengths", lengths),
    ] {
      try ids.withUnsafeBytes { try write(name, .i32, $0) }
    }
    try weights.withUnsafeBytes { try write("weights", .f32, $0) }
    var lines = ""
    for _ in 0..<plan.steps {
      let report = try trainer.step()
      lines += "\(report.learningRate) \(report.loss)\n"
    }
    try lines.write(toFile: "\(folder)/losses.txt", atomically: true, encoding: .utf8)
  }
}
