// metrics.jsonl: one object per line, UTF-8, in order of time. Every line begins with its step:
//
//   {"step":12,"loss":…,"time":…}             a step
//   {"step":12,"validationLoss":…,"time":…}   an evaluation after that step
//   {"step":12,"firstSkipped":9,"skipped":"…","time":…}   steps 9 to 12, passed over
//
// The line of a step whose update was not applied has `skipped` as well, with the reason. A loss or
// gradient norm that is not finite is null.
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
      ] + (skipped.map { [("skipped", .string($0))] } ?? []) + (energy?.members ?? [])
        + figures.map { ($0.name, .number($0.value)) }
        + [("time", .number(time))])
  }
}

extension StepEnergy {
  static let total = "kilowattHours"
  static let modelled = "kilowattHoursModelled"

  /// The members of a step's line; the totals are those of the run so far.
  fileprivate var members: [(key: String, value: JSONValue)] {
    [
      ("joules", .number(joules)),
      (Self.total, .number(total.kilowattHours)),
      (Self.modelled, .number(total.modelled / Energy.joulesPerKilowattHour)),
    ]
  }
}

extension Energy {
  /// The energy of the run up to the step of `line`; nil without such numbers, or with absurd ones.
  init?(line: JSONValue) {
    guard let total = line[StepEnergy.total]?.number,
      let modelled = line[StepEnergy.modelled]?.number,
      total.isFinite, modelled >= 0, modelled <= total
    else { return nil }
    self.init(
      measured: (total - modelled) * Energy.joulesPerKilowattHour,
      modelled: modelled * Energy.joulesPerKilowattHour)
  }
}

extension SkipReport {
  /// The line of metrics.jsonl, without its line feed.
  func json(at time: Double) -> JSONValue {
    .object(
      [("step", .integer(last)), ("firstSkipped", .integer(first))]
        + (loss.map { [("loss", .number($0))] } ?? [])
        + (gradientNorm.map { [("gradientNorm", .number($0))] } ?? [])
        + [("skipped", .string(reason)), ("time", .number(time))])
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
