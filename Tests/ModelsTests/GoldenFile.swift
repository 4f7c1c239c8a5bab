import Checkpoints
import Tensors

/// The values of a golden folder.
struct GoldenFile {
  let folder: String
  private let file: SafeTensorsFile

  init(_ name: String) throws {
    folder = GoldenTests.path(name)
    file = try SafeTensorsFile(path: "\(folder)/golden.safetensors")
  }

  /// Names of the values, sorted.
  var names: [String] { file.names.sorted() }

  func floats(_ name: String) throws -> [Float] {
    let tensor = try file.tensor(named: name)
    return (0..<tensor.bytes.count / 4).map {
      tensor.bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)
    }
  }

  func integers(_ name: String) throws -> [Int32] {
    let tensor = try file.tensor(named: name)
    return (0..<tensor.bytes.count / 4).map {
      tensor.bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)
    }
  }

  /// Number of sequences in the batch.
  func sequences() throws -> Int { try file.tensor(named: "input_ids").shape[0] }
}

/// The largest difference, relative to the largest expected entry.
func worstError(_ values: some Collection<Float>, _ expected: some Collection<Float>) -> Float {
  guard values.count == expected.count else { return .infinity }
  let size = expected.reduce(Float.leastNormalMagnitude) { max($0, abs($1)) }
  // A value that is zero in exact arithmetic is compared absolutely.
  let scale = size < 1e-9 ? 1 : size
  return zip(values, expected).reduce(0) { worst, pair in
    let error = abs(pair.0 - pair.1)
    return error.isNaN ? .infinity : max(worst, error)
  } / scale
}
