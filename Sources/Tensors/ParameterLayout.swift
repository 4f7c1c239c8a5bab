import RandomNumbers

/// How a parameter gets its first values.
public enum Initializer: Sendable, Hashable {
  /// Independent normal numbers with this standard deviation.
  case normal(deviation: Float)
  /// Independent numbers, uniform in ±bound.
  case uniform(bound: Float)
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
  /// The low-rank maps among the parameters; nil in a layout of whole weights.
  public internal(set) var lowRank: LowRankMaps?

  /// No parameters.
  public init() {}

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
    initialize(values, seed: seed, part: 0, of: 1)
  }

  /// Writes the first values of one of `parts` parts of about equal work, each parameter whole in
  /// one of them; threads may write different parts at the same time.
  public func initialize(
    _ values: UnsafeMutableBufferPointer<Float>, seed: UInt64, part: Int, of parts: Int
  ) {
    precondition(values.count == count, "a buffer of \(values.count) for \(count) elements")
    precondition(0..<parts ~= part, "part \(part) of \(parts)")
    for index in entries(ofPart: part, of: parts) {
      let entry = entries[index]
      let end = index + 1 < entries.count ? entries[index + 1].range.lowerBound : count
      UnsafeMutableBufferPointer(rebasing: values[entry.range.upperBound..<end])
        .update(repeating: 0)
      let destination = UnsafeMutableBufferPointer(rebasing: values[entry.range])
      switch entry.initializer {
      case .constant(let value):
        destination.update(repeating: value)
      case .normal(let deviation):
        let stream = RandomStream(seed: seed, purpose: .initialization, index)
        fillNormal(destination, deviation: deviation, from: stream)
      case .uniform(let bound):
        let stream = RandomStream(seed: seed, purpose: .initialization, index)
        for place in destination.indices {
          destination[place] = bound * (2 * stream.uniform(UInt64(place)) - 1)
        }
      }
    }
  }
}

extension ParameterLayout {
  /// Indices of the parameters of a part: the largest first, each to the part with the least work.
  private func entries(ofPart part: Int, of parts: Int) -> [Int] {
    var work = [Int](repeating: 0, count: parts)
    var own: [Int] = []
    let bySize = entries.indices.sorted {
      (entries[$1].drawnCount, $0) < (entries[$0].drawnCount, $1)
    }
    for index in bySize {
      let least = work.indices.min { (work[$0], $0) < (work[$1], $1) } ?? 0
      work[least] += entries[index].drawnCount
      if least == part { own.append(index) }
    }
    return own
  }

  /// A line for each parameter, equal for equal layouts, for comparing ranks.
  public var summary: String {
    entries.map { "\($0.name) \($0.shape) \($0.range) \($0.decays)\n" }.joined()
      + (lowRank.map { "low-rank maps times \($0.lora.scale), \($0.lora.dropout) dropped\n" } ?? "")
  }
}

extension ParameterLayout.Entry {
  /// Elements that are drawn: next to a normal number a constant costs nothing.
  fileprivate var drawnCount: Int {
    if case .constant = initializer { 0 } else { range.count }
  }
}
