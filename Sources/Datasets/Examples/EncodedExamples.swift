import Tokenizers

/// Examples one behind another in one array, for loaders to copy from.
public struct EncodedExamples: Sendable, Equatable {
  private var ids: [TokenID] = []
  private var isTrained: [Bool] = []
  private var ends: [Int] = []

  /// None.
  public init() {}

  /// `examples`, in their order.
  public init(_ examples: some Sequence<EncodedExample>) {
    for example in examples { append(example) }
  }

  /// How many there are.
  public var count: Int { ends.count }

  /// Ids of all of them.
  public var tokens: Int { ids.count }

  /// Ids that are learned.
  public var trainedTokens: Int { isTrained.count { $0 } }

  /// Adds `example` behind the others.
  public mutating func append(_ example: EncodedExample) {
    ids += example.ids
    isTrained += example.isTrained
    ends.append(ids.count)
  }

  /// Example `index`.
  public subscript(index: Int) -> EncodedExample {
    let range = range(of: index)
    return EncodedExample(ids: Array(ids[range]), isTrained: Array(isTrained[range]))
  }

  /// How many ids example `index` has.
  public func length(of index: Int) -> Int { range(of: index).count }

  /// Whether `id` is learned anywhere.
  func trains(_ id: TokenID) -> Bool {
    ids.indices.contains { ids[$0] == id && isTrained[$0] }
  }

  private func range(of index: Int) -> Range<Int> {
    (index == 0 ? 0 : ends[index - 1])..<ends[index]
  }

  /// Writes example `index` into `row` of `batch` from `position` on, and returns where it ends.
  ///
  /// Each input has the next id as its target, which weighs 1 where it is learned. The last id is a
  /// target only, unless `readsEnd`: then it is an input too, whose target is `padding` and weighs 0.
  func write(
    _ index: Int, to batch: inout Batch, row: Int, at position: Int, readsEnd: Bool,
    padding: TokenID
  ) -> Int {
    let range = range(of: index)
    let first = row * batch.context + position
    for (offset, i) in range.dropLast().enumerated() {
      batch.inputs[first + offset] = ids[i]
      batch.targets[first + offset] = ids[i + 1]
      batch.weights[first + offset] = isTrained[i + 1] ? 1 : 0
    }
    guard readsEnd, let last = range.last else { return position + max(0, range.count - 1) }
    batch.inputs[first + range.count - 1] = ids[last]
    batch.targets[first + range.count - 1] = padding
    batch.weights[first + range.count - 1] = 0
    return position + range.count
  }
}

extension Batch {
  /// Fills `row` from `position` on with `padding`, which is not learned.
  mutating func pad(row: Int, from position: Int, with padding: TokenID) {
    for i in row * context + position..<(row + 1) * context {
      inputs[i] = padding
      targets[i] = padding
      weights[i] = 0
    }
  }
}
