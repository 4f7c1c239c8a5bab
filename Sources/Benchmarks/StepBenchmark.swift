import Configuration
import DataParallel
import Datasets
import MPI
import RandomNumbers
import Training

/// Whole training steps of a given configuration on random tokens.
struct StepBenchmark {
  let name: String
  let yaml: String
  let warmup: Int
  let steps: Int

  /// nanoGPT's CPU recipe: 0.8M parameters, 768 tokens a step.
  static let tiny = StepBenchmark(
    name: "step, 0.8M parameters, 12×64 tokens, fp32",
    yaml: """
      model: { layers: 4, heads: 4, width: 128, context: 64 }
      batch: { microBatches: 4, sequences: 3 }
      """, warmup: 20, steps: 20)

  /// GPT-2 124M, 1,024 tokens a step.
  static let gpt2 = StepBenchmark(
    name: "step, GPT-2 124M, 4×256 tokens, fp32",
    yaml: """
      model: { layers: 12, heads: 12, width: 768, context: 256, vocabulary: 50257 }
      batch: { microBatches: 2, sequences: 2 }
      """, warmup: 1, steps: 1)

  func run(_ world: Communicator, threads: Int, runs: Int) throws -> [Measurement] {
    var reader = try ConfigurationReader(yaml: yaml, file: "the benchmark")
    let plan = try TrainingPlan(&reader)
    let words = RandomStream(seed: 1, purpose: .trial)
    let tokens = TokenStream(
      (0..<UInt64(1 << 16)).map { Int32(words.word($0) % 256) },
      vocabularySize: plan.model.vocabulary, endOfText: plan.tokenizer.endOfText)
    let trainer = try Trainer(
      plan, world: world,
      workers: try Cores.assign(
        threads: threads, given: [[]], allowed: Cores.survey().allowed, localRank: 0,
        oversubscribe: true), tokens: tokens)
    for _ in 0..<warmup { _ = try trainer.step() }
    var rates: [Double] = []
    var shares: [Double] = []
    for _ in 0..<runs {
      var seconds = 0.0
      var share = 0.0
      for _ in 0..<steps {
        let report = try trainer.step()
        seconds += report.secondsPerStep
        share += (report.gemmShare ?? 0) / Double(steps)
      }
      rates.append(Double(plan.tokensPerStep * steps) / seconds)
      shares.append(100 * share)
    }
    return [
      Measurement(name, unit: "tokens/s", rates),
      Measurement("  of the product peak", unit: "%", shares),
    ]
  }
}
