import Foundation
import Layers
import Models
import Testing

@testable import Checkpoints
@testable import Tensors

/// A published model (karpathy's stories260K), when its files are available.
@Suite struct TrainedModelTests {
  /// The folder of the model; nil, with a printed note, when `APUS_MATERIAL` does not hold it.
  static let folder: String? = {
    let material = ProcessInfo.processInfo.environment["APUS_MATERIAL"] ?? ""
    let folder = "\(material)/weights/stories260K-hf"
    if !material.isEmpty && FileManager.default.fileExists(atPath: "\(folder)/golden.json") {
      return folder
    }
    print(
      "SKIPPED: the trained model stories260K, because APUS_MATERIAL (\"\(material)\") does not name "
        + "the folder that holds weights/stories260K-hf")
    return nil
  }()

  private struct Golden: Decodable {
    let prompt: [Int32]
    let greedy: [Int32]
    let text: [Int32]
    let loss: Double
    /// The ids and values of the five largest logits after the prompt.
    let firstLogits: [[Double]]

    enum CodingKeys: String, CodingKey {
      case prompt = "prompt_ids"
      case greedy = "greedy_ids"
      case text = "nll_ids"
      case loss = "mean_nll"
      case firstLogits = "first_position_logits_top5"
    }
  }

  @Test(.enabled(if: folder != nil)) func stories260KGivesTheGoldenLogitsAndTokens() throws {
    let folder = try #require(Self.folder)
    let golden = try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/golden.json")))
    let configuration = try ConfigurationFile.read("\(folder)/config.json")
    let layout = configuration.layout
    let workspace = Workspace()
    let model = workspace.bind(
      layout, values: try ModelFiles.read(folder: folder, layout: layout), configuration.build)
    let one = ForwardPass(sequences: 1)

    let first = model.logits(golden.prompt, one).values
    let top = first.indices.sorted { first[$0] > first[$1] }.prefix(5)
    #expect(top.map { Double($0) } == golden.firstLogits.map { $0[0] })
    for (id, expected) in zip(top, golden.firstLogits) {
      #expect(abs(Double(first[id]) - expected[1]) < 1e-4)
    }

    let targets = Array(golden.text.dropFirst())
    let loss =
      model.logits(golden.text.dropLast(), one)
      .crossEntropyConsumingLogits(targets: targets).total / Double(targets.count)
    print("stories260K: loss \(loss), golden \(golden.loss)")
    #expect(abs(loss - golden.loss) < 1e-5)

    // One pass over all positions: every greedy id has the largest logit after the ids before it.
    let logits = model.logits(golden.greedy, one)
    let vocabulary = configuration.vocabulary
    for position in golden.prompt.count - 1..<golden.greedy.count - 1 {
      let row = UnsafeBufferPointer(
        start: logits.pointer + position * vocabulary, count: vocabulary)
      let best = row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 }
      #expect(best == Int(golden.greedy[position + 1]), "position \(position)")
    }
  }
}
