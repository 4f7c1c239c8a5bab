import Configuration
import Testing

@testable import Training

@Suite struct TrainingOptionsTests {
  private func options(_ overrides: String...) throws -> TrainingOptions {
    var reader = try ConfigurationReader(yaml: "", file: "run.yaml", overrides: overrides)
    let options = try TrainingOptions(&reader)
    try reader.finish()
    return options
  }

  private func sentence(_ overrides: [String]) -> String {
    do {
      _ = try plan(overrides)
      return "nothing was refused"
    } catch {
      return "\(error)"
    }
  }

  @Test func anEmptyFileIsTheEmbeddedDefault() throws {
    let options = try options()
    #expect(options.data.train == ["aviary"])
    #expect(options.tokenizer == "bytes")
    #expect(options.reduction == .exact)
    #expect(options.data.validationShare == 0.1 && options.data.validation == [])
    #expect(try options.model.family == .gpt2)
  }

  @Test func everyKeyReachesItsOption() throws {
    let options = try options(
      "run=here", "seed=9", "batch.microBatches=16", "batch.sequences=3", "batch.accumulation=4",
      "steps=77", "optimizer.name=sgd", "optimizer.learningRate=0.5", "optimizer.momentum=0.7",
      "optimizer.clip=0", "schedule.name=wsd", "schedule.warmup=5", "schedule.final=0.1",
      "schedule.decay=6", "reduction=fast", "checkpoint.every=3", "checkpoint.keep=4",
      "checkpoint.keepEvery=5", "checkpoint.keepBest=false", "evaluate.every=7",
      "evaluate.tokens=8", "guard.spike=3", "log.every=2", "data.validation=[held.txt]")
    #expect(options.run == "here" && options.seed == 9 && options.steps == 77)
    #expect((options.microBatches, options.sequences, options.accumulation) == (16, 3, 4))
    #expect(options.rule == .sgd && options.learningRate == 0.5 && options.momentum == 0.7)
    #expect(options.clip == 0 && options.schedule == .wsd && options.warmup == 5)
    #expect(options.finalRate == 0.1 && options.decay == 6 && options.reduction == .fast)
    #expect((options.checkpointEvery, options.keep, options.keepEvery) == (3, 4, 5))
    #expect(!options.keepBest && options.evaluateEvery == 7 && options.evaluateTokens == 8)
    #expect(options.spike == 3 && options.logEvery == 2)
    #expect(options.data.validation == ["held.txt"] && options.data.validationShare == 0)
  }

  /// What the user typed, and words that the sentence needs so that it can be corrected.
  @Test(
    arguments: [
      (["batch.microBatches=6"], ["batch.microBatches", "6 is not a power of two", "4 or 8"]),
      (["batch.accumulation=3"], ["batch.accumulation", "3 is not a power of two", "2 or 4"]),
      (["batch.accumulation=8"], ["batch.accumulation", "8", "4 micro-batches"]),
      (["model.heads=3"], ["model.heads", "3 heads do not divide the width 16"]),
      (["model.dropout=1"], ["model.dropout", "1"]),
      (["model.vocabulary=100"], ["model.vocabulary", "100", "257", "tokenizer"]),
      (["model.width=131072", "model.layers=16"], ["model.width", "MiB", "memory"]),
      (["batch.sequences=65536", "model.context=1000000"], ["batch.sequences", "MiB", "memory"]),
      (["data.validation=1"], ["data.validation", "0..<1", "not 1"]),
      (["data.validation=-0.5"], ["data.validation", "0..<1", "-0.5"]),
      (["steps=0"], ["steps", "0", "at least 1"]),
      (["steps=many"], ["steps", "integer", "many"]),
      (["optimizer.learningRate=-1"], ["optimizer.learningRate", "-1"]),
      (["optimizer.betas=[0.9]"], ["optimizer.betas", "2"]),
      (["optimizer.betas=[0.9, 1]"], ["optimizer.betas", "1"]),
      (["schedule.name=cosinus"], ["schedule.name", "cosinus", "cosine"]),
      (["reduction=exakt"], ["reduction", "exakt", "exact"]),
      (["precision=fp8"], ["precision", "fp8", "fp32"]),
      (["checkpoint.keep=0"], ["checkpoint.keep", "0", "at least 1"]),
      (["optimiser.learningRate=1"], ["no key optimiser", "did you mean optimizer?"]),
      (["step=5"], ["step", "steps"]),
      (["tokenizer=nowhere"], ["nowhere"]),
    ])
  func refusalsNameKeyValueAndRemedy(typed: [String], words: [String]) {
    let found = sentence(typed)
    for word in words { #expect(found.contains(word), "\(typed): \(found)") }
  }
}
