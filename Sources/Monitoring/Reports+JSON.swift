// metrics.jsonl: one object per line, UTF-8, in order of time. Every line begins with its step:
//
//   {"step":12,"loss":…}             a step
//   {"step":12,"validationLoss":…}   an evaluation after that step

import Files

extension StepReport {
  /// The line of metrics.jsonl, without its line feed.
  var json: JSONValue {
    .object(
      [
        ("step", .integer(step)),
        ("loss", .number(loss)),
        ("learningRate", .number(learningRate)),
        ("gradientNorm", .number(gradientNorm)),
        ("tokens", .integer(tokens)),
        ("tokensSeen", .integer(tokensSeen)),
        ("tokensPerSecond", .number(tokensPerSecond)),
        ("secondsPerStep", .number(secondsPerStep)),
        ("secondsCompute", .number(secondsCompute)),
        ("secondsExchange", .number(secondsExchange)),
        ("secondsExposed", .number(secondsExposed)),
        ("secondsOptimizer", .number(secondsOptimizer)),
        ("secondsData", .number(secondsData)),
        ("peakFraction", peakFraction.map { .number($0) } ?? .null),
        ("bytesSent", .integer(bytesSent)),
        ("memoryBytes", .integer(memoryBytes)),
      ] + figures.map { ($0.name, .number($0.value)) })
  }
}

extension EvaluationReport {
  /// The line of metrics.jsonl, without its line feed.
  var json: JSONValue {
    .object(
      [
        ("step", .integer(step)),
        ("validationLoss", .number(validationLoss)),
      ] + (bitsPerByte.map { [("bitsPerByte", .number($0))] } ?? []) + [
        ("evaluationTokens", .integer(tokens)),
        ("evaluationSeconds", .number(seconds)),
        ("isBest", .bool(isBest)),
      ] + figures.map { ($0.name, .number($0.value)) })
  }
}
