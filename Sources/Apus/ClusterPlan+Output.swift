import Files
import Foundation
import Launch
import Monitoring
import Phases
import Training

extension ClusterPlan {
  private var plan: TrainingPlan { sketch.plan }
  private var step: StepForecast { forecast.step }

  /// The prediction in lines of at most 100 columns.
  var text: String {
    let label = 17
    let facts = lines.flatMap { name, sentence in
      let wrapped = sentence.wrapped(to: 100 - label, after: 0)
      return zip([name] + Array(repeating: "", count: wrapped.count), wrapped).map {
        ($0.padded(to: label) + $1).trimmingTrailingSpaces
      }
    }
    return facts.joined(separator: "\n")
  }

  private var lines: [(name: String, sentence: String)] {
    [header, hosts, memory, passes] + (cluster.ranks > 1 ? [exchange] : []) + [run, energy]
      + checkpoints + [("assumed", assumed)]
  }

  private var header: (String, String) {
    ("run", "\(plan.run), \(phase.rawValue), \(sketch.parameters.trained) trained parameters")
  }

  /// The most ranks that a step occupies.
  private var busy: Int { plan.leaves * (plan.diloco?.workers ?? 1) }

  private var hosts: (String, String) {
    (
      "hosts",
      "\(cluster.hosts, "host") × \(cluster.ranksPerHost, "rank") × "
        + "\(cluster.threads, "thread"): \(work.workers, "worker") of \(work.team, "thread") each"
        + (cluster.ranks > busy
          ? "; \(cluster.ranks - busy) of \(cluster.ranks) ranks are idle, since a step has work for "
            + "\(busy) (batch.microBatches ÷ batch.accumulation)" : "")
    )
  }

  private var memory: (String, String) {
    let list = parts.map { "\($0.name) \(mebibytes($0.bytes))" }.joined(separator: ", ")
    return (
      "memory per rank",
      "\(mebibytes(memoryBytes)) MiB of \(mebibytes(available)) available: \(list)"
    )
  }

  private var passes: (String, String) {
    let parts = [
      "passes \(seconds(step.work.secondsCompute))", "optimizer \(seconds(step.secondsUpdate))",
      "exchange not overlapped \(seconds(step.secondsExposed))",
      "other \(seconds(step.work.secondsOther))",
    ]
    return (
      "step",
      "\(seconds(step.seconds)): \(parts.joined(separator: ", ")); "
        + "\(Energy.threeDigits(step.tokensPerSecond)) tokens/s, "
        + "\(Int((100 * step.efficiency).rounded())) % of the time in passes"
    )
  }

  private var assumed: String {
    assumptions.joined(separator: "; ") + ". Times are those of a machine without other load."
  }

  private var exchange: (String, String) {
    (
      "exchange",
      "\(size(step.bytesPerRank)) per rank and step (at least "
        + "\(size(step.leastBytesPerRank))), \(size(step.bytesOnWirePerHost)) "
        + "per host on the wire, \(seconds(step.secondsExchange)); a host has "
        + "\(Int(step.tokensPerHost)) tokens per step, and needs \(Int(step.tokensToHide)) to compute "
        + "as long as it exchanges"
    )
  }

  /// The bytes in MiB, or in KiB where they are few.
  private func size(_ bytes: Double) -> String {
    bytes < 0x1p20 ? "\(Int((bytes / 1024).rounded(.up))) KiB" : "\(mebibytes(Int(bytes))) MiB"
  }

  private var run: (String, String) {
    guard let seconds = forecast.seconds else {
      return ("time", "\(plan.epochs ?? 0) epochs, whose steps the data decides")
    }
    let steps = plan.steps - sketch.firstStep
    return ("time", "≈ \(Durations.text(seconds)) for \(steps, "step")")
  }

  private var energy: (String, String) {
    let joules = forecast.joules ?? forecast.wattsPerHost * Double(cluster.hosts) * step.seconds
    let hours = Energy(modelled: joules).kilowattHours
    let grams = plan.energy.gramsPerKilowattHour.map {
      ", \(Energy.threeDigits(hours * $0)) g of CO₂"
    }
    return (
      "energy",
      "≈ \(Energy.threeDigits(hours)) kWh" + (forecast.joules == nil ? " per step" : "")
        + (grams ?? "")
    )
  }

  private var checkpoints: [(String, String)] {
    let own = plan.stepsBetweenSaves
    let percent = { (steps: Int) in
      Energy.threeDigits(100 * forecast.loss(every: steps)) + " % of the time"
    }
    return [
      (
        "checkpoint",
        "\(mebibytes(Int(forecast.checkpointBytes))) MiB in "
          + "\(seconds(forecast.secondsPerCheckpoint)) "
          + (plan.diloco == nil ? "while training continues, at " : "between two rounds, at ")
          + "\(Int(cluster.diskBandwidth / 1e6)) MB/s"
      ),
      (
        "checkpoint.every",
        "\(checkpointEvery, "step"): every "
          + "\(Durations.text(forecast.secondsBetweenCheckpointsByDaly)) by Daly, "
          + "\(Durations.text(forecast.secondsBetweenCheckpointsByYoung)) by Young, with a failure "
          + "every \(Durations.text(forecast.betweenFailures)); checkpoints and lost work take "
          + "\(percent(checkpointEvery))"
          + (own > 0 ? ", with the run's \(own) \(percent(own))" : "")
      ),
    ]
  }

  private var parts: [(name: String, bytes: Int)] {
    MemoryNeed.Part.allCases.map { ($0.rawValue, work.memory.bytes[$0] ?? 0) }
      + [("program and data", work.calibration.programBytes)]
  }

  /// The prediction as JSON; bytes, seconds, joules.
  var json: JSONValue {
    let names: [MemoryNeed.Part: String] = [
      .weights: "weights", .gradients: "gradients", .optimizer: "optimizer",
      .microBatch: "activations",
    ]
    return .object([
      ("run", .string(plan.run)), ("phase", .string(phase.rawValue)),
      ("hosts", .integer(cluster.hosts)), ("ranksPerHost", .integer(cluster.ranksPerHost)),
      ("threads", .integer(cluster.threads)), ("workersPerRank", .integer(work.workers)),
      ("threadsPerWorker", .integer(work.team)),
      ("trainedParameters", .integer(sketch.parameters.trained)),
      (
        "memoryPerRank",
        .object(
          MemoryNeed.Part.allCases.map {
            (names[$0] ?? $0.rawValue, .integer(work.memory.bytes[$0] ?? 0))
          } + [
            ("program", .integer(work.calibration.programBytes)), ("total", .integer(memoryBytes)),
            ("available", .integer(available)),
          ])
      ),
      (
        "step",
        .object([
          ("seconds", .number(step.seconds)),
          ("secondsCompute", .number(step.work.secondsCompute)),
          ("secondsOptimizer", .number(step.secondsUpdate)),
          ("secondsExposed", .number(step.secondsExposed)),
          ("secondsExchange", .number(step.secondsExchange)),
          ("secondsOther", .number(step.work.secondsOther)),
          ("tokens", .integer(step.work.tokens)),
          ("tokensPerSecond", .number(step.tokensPerSecond)),
          ("efficiency", .number(step.efficiency)),
          ("bytesPerRank", .number(step.bytesPerRank)),
          ("leastBytesPerRank", .number(step.leastBytesPerRank)),
          ("bytesOnWirePerHost", .number(step.bytesOnWirePerHost)),
          ("tokensPerHost", .number(step.tokensPerHost)),
          ("tokensToHideExchange", .number(step.tokensToHide)),
          ("isMeasured", .bool(work.calibration.scratchBytes != nil)),
        ])
      ),
      ("steps", plan.epochs == nil ? .integer(plan.steps - sketch.firstStep) : .null),
      ("seconds", forecast.seconds.map { .number($0) } ?? .null),
      ("joules", forecast.joules.map { .number($0) } ?? .null),
      (
        "checkpoint",
        .object([
          ("bytes", .number(forecast.checkpointBytes)),
          ("seconds", .number(forecast.secondsPerCheckpoint)),
          ("secondsBetweenYoung", .number(forecast.secondsBetweenCheckpointsByYoung)),
          ("secondsBetweenDaly", .number(forecast.secondsBetweenCheckpointsByDaly)),
          ("every", .integer(checkpointEvery)),
          ("lossFraction", .number(forecast.loss(every: checkpointEvery))),
        ])
      ),
      ("assumptions", .array(assumptions.map { .string($0) })),
    ])
  }

  private func mebibytes(_ bytes: Int) -> Int { (bytes + 1 << 19) >> 20 }

  private func seconds(_ value: Double) -> String { "\(Energy.threeDigits(value)) s" }
}
