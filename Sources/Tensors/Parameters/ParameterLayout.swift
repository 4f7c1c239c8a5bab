import RandomNumbers

/// The initialization of a parameter.
package enum Initializer: Sendable, Hashable {
  /// Independent normal numbers with mean 0 and this standard deviation.
  case normal(std: Float)
  /// Independent numbers, uniform in ±bound.
  case uniform(bound: Float)
  /// One value for all elements.
  case constant(Float)
}

/// The layout of a model's parameters in one flat buffer: their names, shapes and ranges.
///
/// Parameters are in the order of the forward pass, so that the backward pass completes their
/// gradients from the end of the buffer to its start. Each begins at a multiple of 16 elements; the
/// gaps stay zero.
package struct ParameterLayout: Sendable, Hashable {
  /// One parameter.
  package struct Entry: Sendable, Hashable {
    /// The parameter's name in the Hugging Face weights of the model family.
    package let name: String
    package let shape: [Int]
    /// Range of the parameter's elements in the flat buffer.
    package let range: Range<Int>
    package let initializer: Initializer
    /// True when weight decay applies: for matrices and embeddings, not for norms and biases.
    package let decays: Bool
  }

  /// The parameters in buffer order.
  package private(set) var entries: [Entry] = []
  /// The number of elements of the flat buffer, including gaps.
  package private(set) var count = 0
  /// The LoRA adapters among the parameters; nil in a layout without adapters.
  package internal(set) var lora: LoRALayout?

  /// An empty layout.
  package init() {}

  /// The number of elements of all parameters, without gaps.
  package var parameterCount: Int { entries.reduce(0) { $0 + $1.range.count } }

  mutating func append(_ name: String, shape: [Int], initializer: Initializer, decays: Bool) {
    precondition(
      !entries.contains { $0.name == name }, "two parameters are named \(name)")
    let size = shape.reduce(1, *)
    entries.append(
      Entry(
        name: name, shape: shape, range: count..<count + size, initializer: initializer,
        decays: decays))
    count += (size + 15) / 16 * 16
  }

  /// Initializes the parameters in `names`, nil for all, or one of `parts` parts of about equal work.
  ///
  /// The values are a pure function of the seed and the parameter's index. Each parameter belongs to
  /// one part; threads may initialize different parts at the same time.
  package func initialize(
    _ values: UnsafeMutableBufferPointer<Float>, seed: UInt64, only names: Set<String>? = nil,
    part: Int = 0, of parts: Int = 1
  ) {
    precondition(values.count == count, "a buffer of \(values.count) for \(count) elements")
    precondition(0..<parts ~= part, "part \(part) of \(parts)")
    for index in entries(ofPart: part, of: parts, only: names) {
      let entry = entries[index]
      let end = index + 1 < entries.count ? entries[index + 1].range.lowerBound : count
      UnsafeMutableBufferPointer(rebasing: values[entry.range.upperBound..<end])
        .update(repeating: 0)
      let destination = UnsafeMutableBufferPointer(rebasing: values[entry.range])
      switch entry.initializer {
      case .constant(let value):
        destination.update(repeating: value)
      case .normal(let std):
        let stream = RandomStream(seed: seed, purpose: .initialization, index)
        fillNormal(destination, std: std, from: stream)
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
  /// Returns the indices of the parameters of a part.
  ///
  /// Parameters are assigned in order of decreasing size, each to the part with the least work so
  /// far.
  private func entries(ofPart part: Int, of parts: Int, only names: Set<String>?) -> [Int] {
    var work = [Int](repeating: 0, count: parts)
    var own: [Int] = []
    let chosen = entries.indices.filter { names?.contains(entries[$0].name) ?? true }
    let bySize = chosen.sorted { (entries[$1].drawnCount, $0) < (entries[$0].drawnCount, $1) }
    for index in bySize {
      let least = work.indices.min { (work[$0], $0) < (work[$1], $1) } ?? 0
      work[least] += entries[index].drawnCount
      if least == part { own.append(index) }
    }
    return own
  }

  /// A text with one line per parameter that identifies the layout, for comparisons between ranks.
  package var summary: String {
    entries.map { "\($0.name) \($0.shape) \($0.range) \($0.decays)\n" }.joined()
      + (lora.map { "LoRA scale \($0.configuration.scale), dropout \($0.configuration.dropout)\n" }
        ?? "")
  }
}

extension ParameterLayout.Entry {
  /// The number of elements that need random numbers; the cost of constants is negligible.
  fileprivate var drawnCount: Int {
    if case .constant = initializer { 0 } else { range.count }
  }
}
