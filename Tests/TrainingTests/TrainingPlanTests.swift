import Configuration
import Testing

@testable import Training

@Suite struct TrainingPlanTests {
  @Test func theScheduleIsTheOptions() throws {
    let cosine = try plan(["optimizer.learningRate=1", "schedule.final=0.5", "steps=10"]).schedule
    #expect(cosine.rate(at: 0) == 0.5 && cosine.rate(at: 1) == 1 && cosine.rate(at: 2) == 1)
    #expect(abs(cosine.rate(at: 6) - 0.75) < 1e-12 && cosine.rate(at: 10) == 0.5)
    let wsd = try plan([
      "optimizer.learningRate=1", "schedule.name=wsd", "schedule.decay=4", "schedule.final=0",
      "steps=10",
    ]).schedule
    #expect(wsd.rate(at: 5) == 1 && wsd.rate(at: 8) == 0.5)
    let constant = try plan(["optimizer.learningRate=3", "schedule.name=constant"]).schedule
    #expect(constant.rate(at: 11) == 3)
  }

  @Test func theRuleIsTheOptions() throws {
    let adamw = "\(try plan(["optimizer.betas=[0.8, 0.7]", "optimizer.weightDecay=0.3"]).optimizer)"
    for word in ["AdamW", "0.8", "0.7", "0.3"] { #expect(adamw.contains(word)) }
    let sgd = "\(try plan(["optimizer.name=sgd", "optimizer.momentum=0.6"]).optimizer)"
    for word in ["SGD", "0.6"] { #expect(sgd.contains(word)) }
  }

  @Test func theVocabularyIsTheTokenizersUnlessLarger() throws {
    #expect(try plan([]).model.vocabulary == 257)
    #expect(try plan(["model.vocabulary=300"]).model.vocabulary == 300)
    #expect(try plan([]).tokensPerStep == 4 * 2 * 16)
  }

  @Test func whatDecidesTheBitsIsInTheTerms() throws {
    let terms = try plan([]).terms
    for change in [
      "seed=2", "steps=13", "batch.microBatches=8", "batch.sequences=3", "batch.accumulation=2",
      "optimizer.betas=[0.5, 0.5]", "optimizer.clip=2", "optimizer.learningRate=1",
      "optimizer.epsilon=1e-6", "optimizer.weightDecay=0.2", "optimizer.name=sgd",
      "schedule.warmup=3", "schedule.final=0", "schedule.name=linear", "reduction=fast",
    ] {
      let changed = try plan([change]).terms
      #expect(changed.keys == terms.keys)
      #expect(changed.count { terms[$0.key] != $0.value } == 1, "\(change)")
    }
    for change in ["log.every=3", "checkpoint.every=5", "evaluate.every=1", "run=elsewhere"] {
      #expect(try plan([change]).terms == terms, "\(change)")
    }
  }

  /// A worker is one gradient more, or several; what does not fit becomes a team.
  @Test func memoryBoundsTheWorkers() throws {
    let plan = try plan(["batch.microBatches=8", "precision=fp32"])
    let unit = 4 * plan.model.layout.count
    // Weights, two moments, and gradients: 8 × 1 for eight workers, 3 × 2 for three, 1 × 4.
    let room = { (units: Int) in (units * unit + 3) / 4 * 5 + 5 }
    #expect(plan.workersThatFit(into: room(11), ranks: 1) == 8)
    #expect(plan.workersThatFit(into: room(9), ranks: 1) == 3)
    #expect(plan.workersThatFit(into: room(7), ranks: 1) == 1)
    #expect(plan.workersThatFit(into: room(1), ranks: 1) == 1)
    // Two ranks share the moments and the leaves.
    #expect(plan.workersThatFit(into: room(6), ranks: 2) == 4)
    #expect(plan.workersThatFit(into: room(5), ranks: 2) == 1)
  }

  /// `auto` is bf16 only where all hosts are quick with it; what is named is taken.
  @Test func autoLooksAtEveryHost() {
    typealias Choice = TrainingOptions.PrecisionChoice
    #expect(Choice.allCases.map { $0.resolved(halvesAreQuick: true) } == [.bf16, .fp32, .bf16])
    #expect(Choice.allCases.map { $0.resolved(halvesAreQuick: false) } == [.fp32, .fp32, .bf16])
  }

  @Test(arguments: [false, true]) func thePlanTakesWhatTheRanksFound(areQuick: Bool) throws {
    var reader = try ConfigurationReader(yaml: smallRun, file: "run.yaml", overrides: [])
    let plan = try Pretraining(&reader, halvesAreQuick: areQuick).plan
    #expect(plan.precision == (areQuick ? .bf16 : .fp32))
    // Kernels that no product goes through are no reason to refuse a host.
    #expect(plan.terms["matrixLibrary"]?.contains("oneDNN") == areQuick)
  }

  @Test func theLinesAreTheResolvedFile() throws {
    let plan = try plan([])
    #expect(plan.lines.count == plan.resolved.split(separator: "\n").count + 1)
    #expect(plan.lines.contains { $0.value == "microBatches: 4" })
    #expect(plan.lines.first?.name == "line 1 of the resolved configuration")
  }
}
