import Tokenizers

/// Examples concatenated in one array, for loaders to copy from.
package struct EncodedExamples: Sendable, Equatable {
  private var ids: [TokenID] = []
  private var lossMask: [Bool] = []
  private var ends: [Int] = []

  package init() {}

  package init(_ examples: some Sequence<EncodedExample>) {
    for example in examples { append(example) }
  }

  /// The number of examples.
  package var count: Int { ends.count }

  /// The number of ids of all examples.
  package var tokens: Int { ids.count }

  /// The number of ids in the loss mask.
  package var lossTokens: Int { lossMask.count { $0 } }

  package mutating func append(_ example: EncodedExample) {
    ids += example.ids
    lossMask += example.lossMask
    ends.append(ids.count)
  }

  package subscript(index: Int) -> EncodedExample {
    let range = range(of: index)
    return EncodedExample(ids: Array(ids[range]), lossMask: Array(lossMask[range]))
  }

  /// Returns the number of ids of example `index`.
  package func length(of index: Int) -> Int { range(of: index).count }

  /// Returns true when the loss mask includes `id` at least once.
  func isInLoss(_ id: TokenID) -> Bool {
    ids.indices.contains { ids[$0] == id && lossMask[$0] }
  }

  private func range(of index: Int) -> Range<Int> {
    (index == 0 ? 0 : ends[index - 1])..<ends[index]
  }

  /// Writes example `index` into `batch` from position `first` on.
  ///
  /// Each input has the next id as its target, with weight 1 where the loss mask includes it. The last
  /// id is only a target, unless `lastIsInput`: then it is also an input, whose target stays padding of
  /// weight 0.
  func write(_ index: Int, to batch: inout Batch, at first: Int, lastIsInput: Bool) {
    let range = range(of: index)
    for (offset, i) in range.dropLast().enumerated() {
      batch.inputs[first + offset] = ids[i]
      batch.targets[first + offset] = ids[i + 1]
      batch.weights[first + offset] = lossMask[i + 1] ? 1 : 0
    }
    guard lastIsInput, let last = range.last else { return }
    batch.inputs[first + range.count - 1] = ids[last]
  }
}
