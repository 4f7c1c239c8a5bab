// metrics.jsonl: one object per line, UTF-8, in order of time. Every line begins with its step:
//
//   {"step":12,"loss":…}             a step
//   {"step":12,"validationLoss":…}   an evaluation after that step

extension StepReport {
  /// The line of metrics.jsonl, without its line feed.
  var json: JSONValue {
    .object(
      [
        JSONMember("step", .integer(step)),
        JSONMember("loss", .number(loss)),
        JSONMember("learningRate", .number(learningRate)),
        JSONMember("gradientNorm", .number(gradientNorm)),
        JSONMember("tokens", .integer(tokens)),
        JSONMember("tokensSeen", .integer(tokensSeen)),
        JSONMember("tokensPerSecond", .number(tokensPerSecond)),
        JSONMember("secondsPerStep", .number(secondsPerStep)),
        JSONMember("secondsCompute", .number(secondsCompute)),
        JSONMember("secondsExchange", .number(secondsExchange)),
        JSONMember("secondsExposed", .number(secondsExposed)),
        JSONMember("secondsOptimizer", .number(secondsOptimizer)),
        JSONMember("secondsData", .number(secondsData)),
        JSONMember("peakFraction", peakFraction.map(JSONValue.number) ?? .null),
        JSONMember("bytesSent", .integer(bytesSent)),
        JSONMember("memoryBytes", .integer(memoryBytes)),
      ] + figures.map { JSONMember($0.name, .number($0.value)) })
  }
}

extension EvaluationReport {
  /// The line of metrics.jsonl, without its line feed.
  var json: JSONValue {
    .object(
      [
        JSONMember("step", .integer(step)),
        JSONMember("validationLoss", .number(validationLoss)),
      ] + (bitsPerByte.map { [JSONMember("bitsPerByte", .number($0))] } ?? []) + [
        JSONMember("evaluationTokens", .integer(tokens)),
        JSONMember("evaluationSeconds", .number(seconds)),
        JSONMember("isBest", .boolean(isBest)),
      ] + figures.map { JSONMember($0.name, .number($0.value)) })
  }
}
