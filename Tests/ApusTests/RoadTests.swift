import Foundation
import Testing

/// The recipe of `make demo` with fewer steps and texts: every phase must move its metrics in the
/// right direction.
@Suite(.serialized) struct RoadTests {
  /// The replacements that make `cluster/road.yaml` smaller.
  private static let changes = [
    ("steps: 4000", "steps: 1200"), ("evaluate: { every: 2000,", "evaluate: { every: 600,"),
    ("--count 16000", "--count 6000"), ("steps: 2000", "steps: 800"),
    ("evaluate: { every: 1250 }", "evaluate: { every: 400 }"),
    ("--count 2400 --seed 2", "--count 900 --seed 2"), ("--count 256", "--count 96"),
    (
      "steps: 180\n      optimizer: { learningRate: 5e-4 }",
      "steps: 80\n      optimizer: { learningRate: 5e-4 }"
    ),
    ("evaluate: { every: 120 }", "evaluate: { every: 40 }"),
    (
      "steps: 120\n      optimizer: { learningRate: 3e-4 }",
      "steps: 64\n      optimizer: { learningRate: 3e-4 }"
    ),
    ("evaluate: { every: 80 }", "evaluate: { every: 64 }"),
  ]

  private func recipe() throws -> String {
    var recipe = try String(
      contentsOfFile: ReadmeTests.repository + "/cluster/road.yaml", encoding: .utf8)
    for (long, short) in RoadTests.changes {
      #expect(recipe.contains(long), "cluster/road.yaml has no \(long) any more")
      recipe = recipe.replacingOccurrences(of: long, with: short)
    }
    return recipe
  }

  /// The values of `field` in the evaluations of a stage, in order.
  private func evaluations(_ stage: String, _ field: String, in program: Program) throws
    -> [Double]
  {
    let text = String(
      decoding: try #require(program.read("runs/road/\(stage)/metrics.jsonl")), as: UTF8.self)
    return try text.split(separator: "\n").compactMap { line in
      let fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return fields?["validationLoss"] == nil ? nil : fields?[field] as? Double
    }
  }

  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func everyPhaseImprovesItsMetrics() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(try recipe(), to: "road.yaml")
    let road = try program.run(["run", "road.yaml", "--threads", "1"], ranks: 2, limit: 1500)
    #expect(road.code == 0, "\(road.errors.suffix(2000))")
    for stage in ["base", "chat", "reward"] {
      let losses = try evaluations(stage, "validationLoss", in: program)
      #expect(losses.count >= 2 && losses[losses.count - 1] < losses[0], "\(stage): \(losses)")
    }
    #expect(try #require(evaluations("reward", "accuracy", in: program).last) > 0.65)
    let wins = try evaluations("aligned", "winRate", in: program)
    #expect(try #require(wins.last) > 0.5, "\(wins)")
    let rewards = try evaluations("aligned", "reward", in: program)
    #expect(rewards.count >= 2 && rewards[rewards.count - 1] > rewards[0], "\(rewards)")
    let divergence = try #require(evaluations("aligned", "sequenceKL", in: program).last)
    #expect(divergence > 0 && divergence < 20)

    let questions = "runs/road/questions.jsonl"
    let result = try program.run(
      [
        "evaluate", "runs/road/base", "runs/road/chat", "runs/road/aligned", "--records", questions,
        "--instructions", questions, "--tokens", "110", "--threads", "1", "--json",
      ], ranks: 2, limit: 300)
    #expect(result.code == 0, "\(result.errors)")
    let lines = result.output.split(separator: "\n").filter { $0.hasPrefix("{") }
    try #require(lines.count == 3, "\(result.output)")
    let models = try lines.map {
      let line = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
      return try #require(line?["figures"] as? [String: Double])
    }
    let figure = { (name: String) in models.map { $0[name] ?? .nan } }
    let (loss, followed) = (figure("answerLoss"), figure("followed"))
    let (kind, consistent) = (figure("kind"), figure("consistent"))
    print(
      "the small road: loss \(loss), followed \(followed), kind \(kind), consistent \(consistent)")
    #expect(loss[1] < loss[0], "\(loss)")
    #expect(followed[1] > followed[0] && figure("factsKept")[1] > figure("factsKept")[0] + 0.2)
    #expect(consistent[1] > consistent[0], "\(consistent)")
    #expect(kind[2] > kind[1], "\(kind)")
    // Alignment does not lose what fine-tuning has taught.
    #expect(figure("factsKept")[2] > figure("factsKept")[1] - 0.1, "\(figure("factsKept"))")
  }
}
