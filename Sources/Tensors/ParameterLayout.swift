import RandomNumbers

/// How a parameter gets its first values.
public enum Initializer: Sendable, Hashable {
  /// Independent normal numbers with this standard deviation.
  case normal(deviation: Float)
  /// The same value everywhere.
  case constant(Float)
}

/// Names, shapes and places of a model's parameters in one flat buffer.
///
/// Parameters follow the forward pass, so that the backward pass finishes them from the end of the
/// buffer to its start. Each begins on a multiple of 16 elements; the gaps stay zero.
public struct ParameterLayout: Sendable, Hashable {
  /// One parameter.
  public struct Entry: Sendable, Hashable {
    /// Name as the family's Hugging Face weights have it.
    public let name: String
    /// Sizes of its dimensions.
    public let shape: [Int]
    /// Its elements in the flat buffer.
    public let range: Range<Int>
    /// Its first values.
    public let initializer: Initializer
    /// Whether weight decay applies: matrices and embeddings, not norms and biases.
    public let decays: Bool
  }

  /// The parameters in buffer order.
  public private(set) var entries: [Entry] = []
  /// Elements in the flat buffer, gaps included.
  public private(set) var count = 0

  /// Elements that belong to parameters.
  public var parameterCount: Int { entries.reduce(0) { $0 + $1.range.count } }

  mutating func append(_ name: String, shape: [Int], initializer: Initializer, decays: Bool) {
    precondition(
      !entries.contains { $0.name == name }, "two parameters are called \(name)")
    let size = shape.reduce(1, *)
    entries.append(
      Entry(
        name: name, shape: shape, range: count..<count + size, initializer: initializer,
        decays: decays))
    count += (size + 15) / 16 * 16
  }

  /// Writes every parameter's first values: a pure function of the seed and the parameter's index.
  public func initialize(_ values: UnsafeMutableBufferPointer<Float>, seed: UInt64) {
    precondition(values.count == count, "a buffer of \(values.count) for \(count) elements")
    values.update(repeating: 0)
    for (index, entry) in entries.enumerated() {
      let destination = UnsafeMutableBufferPointer(rebasing: values[entry.range])
      switch entry.initializer {
      case .constant(let value):
        destination.update(repeating: value)
      case .normal(let deviation):
        let stream = RandomStream(seed: seed, purpose: .initialization, index)
        fillNormal(destination, deviation: deviation, from: stream)
      }
    }
  }
}

extension ParameterLayout {
  /// A number that is equal for equal layouts, for comparing ranks.
  public var fingerprint: UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for entry in entries {
      for byte in "\(entry.name) \(entry.shape) \(entry.range) \(entry.decays);".utf8 {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
      }
    }
    return hash
  }
}
