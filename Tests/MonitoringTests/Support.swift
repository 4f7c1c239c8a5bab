import Foundation
import Synchronization

@testable import Monitoring

/// A clock that a test advances.
final class ManualClock: Sendable {
  private let start = ContinuousClock.now
  private let elapsed = Mutex(Duration.zero)

  var now: ContinuousClock.Instant { start + elapsed.withLock { $0 } }

  func advance(_ duration: Duration) { elapsed.withLock { $0 += duration } }
}

/// A sink that collects the written text.
final class Screen: Sendable {
  private let written = Mutex("")

  func write(_ text: String) { written.withLock { $0 += text } }

  /// Returns the text written since the last call.
  func take() -> String {
    written.withLock { text in
      defer { text = "" }
      return text
    }
  }
}

/// Runs `body` with a temporary folder, which is removed afterwards.
func withFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "apus-monitoring-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

func text(_ path: String) throws -> String {
  String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
}

/// The step report of the examples.
func report(
  _ step: Int, of total: Int = 2000, loss: Double = 1.51234, peakFraction: Double? = 0.64
) -> StepReport {
  StepReport(
    step: step, totalSteps: total, loss: loss, learningRate: 4.2e-4, gradientNorm: 0.714,
    tokens: 768, tokensSeen: 768 * step, tokensPerSecond: 21_345, secondsPerStep: 0.02125,
    secondsCompute: 0.018, secondsExchange: 0.004, secondsExposed: 0.001, secondsOptimizer: 0.002,
    secondsData: 0.00025, peakFraction: peakFraction, bytesSent: 1_234_567, memoryBytes: 98_765_432)
}

func evaluation(_ step: Int, isBest: Bool = false) -> EvaluationReport {
  EvaluationReport(
    step: step, validationLoss: 1.49817, bitsPerByte: 2.16141, tokens: 111_540, seconds: 12.34,
    figures: [Figure("consistentStories", 0.91)], isBest: isBest)
}
