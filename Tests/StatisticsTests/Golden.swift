import Foundation

/// Golden values of SciPy, scikit-learn, statsmodels and irrCAC, computed by `Goldens/generate.py`.
struct Golden: Decodable {
  struct Normal: Decodable { let probability, quantile, cumulative: Double }
  struct Wilson: Decodable {
    let successes: Double
    let trials: Int
    let confidence, lower, upper: Double
  }
  struct Binomial: Decodable {
    let successes, trials: Int
    let probability, p: Double
  }
  struct Cohen: Decodable {
    let first, second: [Int]
    let kappa: Double?
  }
  struct Fleiss: Decodable {
    let counts: [[Int]]
    let kappa: Double?
  }
  struct Correlation: Decodable {
    let x, y: [Double]
    let pearson, spearman: Double?
  }
  struct Calibration: Decodable {
    let probabilities: [Double]
    let outcomes: [Bool]
    let bins: Int
    let expected: Double
  }
  struct Bootstrap: Decodable {
    let values: [Double]
    let lower, upper, standardError: Double
  }

  let normal: [Normal]
  let wilson: [Wilson]
  let binomial: [Binomial]
  let cohen: [Cohen]
  let fleiss: [Fleiss]
  let correlation: [Correlation]
  let calibration: [Calibration]
  let bootstrap: [Bootstrap]

  static func read() throws -> Golden {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appendingPathComponent("Goldens/statistics.json"))
    return try JSONDecoder().decode(Golden.self, from: data)
  }
}

/// Returns true when both values are nil, or when they differ by at most `tolerance` times the
/// larger of 1 and |`expected`|.
func agree(_ value: Double?, _ expected: Double?, within tolerance: Double = 1e-12) -> Bool {
  guard let value, let expected else { return value == nil && expected == nil }
  return abs(value - expected) <= tolerance * max(1, abs(expected))
}
