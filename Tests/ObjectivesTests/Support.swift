import Foundation
import Tensors
import Testing

@testable import Objectives

/// Results of PyTorch and TRL for fixed numbers, written by `Goldens/generate.py`.
struct Golden {
  private let values: [String: Any]

  /// The golden `name`.
  init(_ name: String) throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Goldens/goldens.json")
    let all = try JSONSerialization.jsonObject(with: Data(contentsOf: path))
    values = try #require((all as? [String: Any])?[name] as? [String: Any])
  }

  /// The golden that is the whole of a file.
  init(file: String) throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Goldens/\(file)")
    values = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any])
  }

  private init(_ values: [String: Any]) { self.values = values }

  /// The cases of the golden.
  func cases() throws -> [Golden] {
    try #require(values["cases"] as? [[String: Any]]).map { Golden($0) }
  }

  func text(_ key: String) throws -> String { try #require(values[key] as? String, "\(key)") }
  func number(_ key: String) throws -> Double { try #require(values[key] as? Double, "\(key)") }
  func flag(_ key: String) throws -> Bool { try #require(values[key] as? Bool, "\(key)") }
  func flags(_ key: String) throws -> [Bool] { try #require(values[key] as? [Bool], "\(key)") }
  func integer(_ key: String) throws -> Int { try #require(values[key] as? Int, "\(key)") }
  func integers(_ key: String) throws -> [Int] { try #require(values[key] as? [Int], "\(key)") }

  func numbers(_ key: String) throws -> [Double] {
    try #require(values[key] as? [Double], "\(key)")
  }

  func lists(_ key: String) throws -> [[Double]] {
    try #require(values[key] as? [[Double]], "\(key)")
  }

  func floats(_ key: String) throws -> [Float] { try numbers(key).map { Float($0) } }
}

/// The largest difference, relative to the largest expected entry.
func worst(_ values: [some BinaryFloatingPoint], _ expected: [Double]) -> Double {
  guard values.count == expected.count else { return .infinity }
  let size = max(expected.reduce(0) { max($0, abs($1)) }, 1e-9)
  return zip(values, expected).reduce(0) { worst, pair in
    let error = abs(Double(pair.0) - pair.1) / size
    return error.isNaN ? .infinity : max(worst, error)
  }
}

/// A loss and its gradient as numbers.
struct Differentiated {
  let total: Double
  let count: Double
  let measures: Measures
  let gradient: [Float]
}

/// Returns the loss and its gradient at `values`.
func differentiated(
  _ values: [Float], shape: [Int]? = nil, _ objective: (Tensor) -> Loss
) -> Differentiated {
  let workspace = Workspace()
  return withExtendedLifetime(workspace) {
    let point = Tensor(values, shape: shape ?? [values.count], in: workspace)
    var seen: Loss?
    let (sum, gradients) = valueWithGradient(at: [point]) {
      let loss = objective($0[0])
      seen = loss
      return loss.sum
    }
    guard let loss = seen else { preconditionFailure("no loss") }
    let (total, scalar) = (loss.total, Double(sum.scalar))
    #expect(abs(total - scalar) <= 1e-6 * abs(total) || !total.isFinite)
    return Differentiated(
      total: total, count: loss.count, measures: loss.measures,
      gradient: gradients[0]?.values ?? [Float](repeating: 0, count: values.count))
  }
}

/// Compares the gradient of `objective` with finite differences.
func differences(
  _ values: [Float], shape: [Int]? = nil, _ objective: (Tensor) -> Loss
) -> GradientCheck {
  let workspace = Workspace()
  return withExtendedLifetime(workspace) {
    let point = Tensor(values, shape: shape ?? [values.count], in: workspace)
    return GradientCheck(at: [point]) { objective($0[0]).sum }
  }
}

/// The largest accepted relative difference from a golden value, due to rounding to fp32.
let tolerance = 2e-6
