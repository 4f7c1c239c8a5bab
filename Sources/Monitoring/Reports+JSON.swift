// metrics.jsonl: one object per line, UTF-8, in order of time. Every line begins with its step:
//
//   {"step":12,"loss":…,"time":…}             a step
//   {"step":12,"validationLoss":…,"time":…}   an evaluation after that step
//
// The time of the report is in seconds since 1970-01-01T00:00:00Z.

import Files

extension StepReport {
  /// The line of metrics.jsonl, without its line feed.
  func json(at time: Double) -> JSONValue {
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
      ] + figures.map { ($0.name, .number($0.value)) } + [("time", .number(time))])
  }
}

extension EvaluationReport {
  /// The line of metrics.jsonl, without its line feed.
  func json(at time: Double) -> JSONValue {
    .object(
      [
        ("step", .integer(step)),
        ("validationLoss", .number(validationLoss)),
      ] + (bitsPerByte.map { [("bitsPerByte", .number($0))] } ?? []) + [
        ("evaluationTokens", .integer(tokens)),
        ("evaluationSeconds", .number(seconds)),
        ("isBest", .bool(isBest)),
      ] + figures.map { ($0.name, .number($0.value)) } + [("time", .number(time))])
  }
}
