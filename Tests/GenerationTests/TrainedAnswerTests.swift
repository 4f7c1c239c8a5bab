import Checkpoints
import Foundation
import Generation
import Models
import Tensors
import Testing

/// Rollouts of a model that others trained (karpathy's stories260K), where the material is at hand.
@Suite struct TrainedAnswerTests {
  /// The folder of the model; nil, said aloud, when it is not in the folder `APUS_MATERIAL`.
  static let folder: String? = {
    let material = ProcessInfo.processInfo.environment["APUS_MATERIAL"] ?? ""
    let folder = "\(material)/weights/stories260K-hf"
    if !material.isEmpty && FileManager.default.fileExists(atPath: "\(folder)/config.json") {
      return folder
    }
    print(
      "SKIPPED: rollouts of stories260K, because APUS_MATERIAL (\"\(material)\") does not name the "
        + "folder that holds weights/stories260K-hf")
    return nil
  }()

  @Test(.enabled(if: folder != nil), arguments: Precision.allCases)
  func aTrainingPassThinksTheSame(precision: Precision) throws {
    let folder = try #require(Self.folder)
    let configuration = try ConfigurationFile.read("\(folder)/config.json")
    let layout = configuration.layout
    let values = try ModelFiles.read(folder: folder, layout: layout)
    let workspace = Workspace(precision: precision, isBatchInvariant: true)
    let halves = precision == .bf16 ? HalfBuffer(count: layout.count) : nil
    halves?.round(values, 0..<layout.count)
    let network = workspace.bind(
      layout, values: values, halves: halves, configuration.build)
    // "Once upon a time", "One day", and the beginning of a text.
    let prompts: [[Int32]] = [[1, 403, 407, 261, 378], [1, 385, 328], [1]]
    for samples in [1, 8, 20] {
      let difference = try ThoughtDifference(
        network, configuration, in: workspace,
        AnswerRequest(
          prompts: prompts, samples: samples, maximum: 120, end: 1,
          vocabulary: configuration.vocabulary, seed: 3))
      print("stories260K in \(precision): \(difference)")
      #expect(difference.tokens > 100 * samples)
      #expect(difference.largest == 0)
    }
  }
}
