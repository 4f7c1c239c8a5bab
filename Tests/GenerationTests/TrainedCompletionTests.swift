import Checkpoints
import Foundation
import Generation
import Models
import Tensors
import Testing

/// Rollouts of a published model (karpathy's stories260K), when its files are available.
@Suite struct TrainedCompletionTests {
  /// The folder of the model; nil, with a printed note, when `APUS_MATERIAL` does not hold it.
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
  func aTrainingPassGivesTheSameLogProbabilities(precision: Precision) throws {
    let folder = try #require(Self.folder)
    let configuration = try ConfigurationFile.read("\(folder)/config.json")
    let layout = configuration.layout
    let values = try ModelFiles.read(folder: folder, layout: layout)
    let workspace = Workspace(precision: precision, isBatchInvariant: true)
    let bf16Copy = precision == .bf16 ? BF16Buffer(count: layout.count) : nil
    bf16Copy?.round(values, 0..<layout.count)
    let network = workspace.bind(
      layout, values: values, bf16Copy: bf16Copy, configuration.build)
    // "Once upon a time", "One day", and the beginning-of-text token alone.
    let prompts: [[Int32]] = [[1, 403, 407, 261, 378], [1, 385, 328], [1]]
    for samples in [1, 8, 20] {
      let difference = try LogProbabilityDifference(
        network, configuration, in: workspace,
        CompletionRequest(
          prompts: prompts, samples: samples, maximum: 120, ends: [1],
          vocabulary: configuration.vocabulary, seed: 3))
      print("stories260K in \(precision): \(difference)")
      #expect(difference.tokens > 100 * samples)
      #expect(difference.largest == 0)
    }
  }
}
