import Tokenizers

/// What one forward pass sees.
///
/// B sequences, T context; every array but those of the examples is B×T, row-major.
public struct Batch: Sendable, Equatable {
  /// Sequences, B.
  public let sequences: Int
  /// Tokens in each, T.
  public let context: Int
  /// The ids that the model is given.
  public var inputs: [TokenID]
  /// The ids that it shall predict.
  public var targets: [TokenID]
  /// 1 where a target counts, 0 where it is ignored.
  public var weights: [Float]
  /// For every position, the index within its row of the first position of its example, B×T; empty
  /// where every row is one example.
  ///
  /// Attention does not cross from one example to another, and positions restart at each: the
  /// position of an input is its index − its start.
  public var starts: [Int32] = []
  /// For every row, the number of its inputs that are no padding, B; empty where rows are full.
  public var lengths: [Int32] = []
  /// For every pair of rows (2i chosen, 2i + 1 rejected), by how much the chosen answer should lead,
  /// B ÷ 2; empty where the batch holds no pairs.
  public var margins: [Float] = []
  /// For every row, the index of its class or its value, B; empty where rows have no label.
  public var labels: [Float] = []

  /// What an encoder is given for every row, all of one length, row after row; empty where there is no
  /// encoder.
  public var sources: [TokenID] = []
  /// For every row, the number of tokens of its source that are no padding, B; empty without sources.
  public var sourceLengths: [Int32] = []

  /// A batch of zeros for a loader to fill, again and again, without allocating.
  public init(sequences: Int, context: Int) {
    precondition(
      sequences >= 1 && context >= 1, "a batch of \(sequences) sequences of \(context) tokens")
    self.sequences = sequences
    self.context = context
    inputs = [TokenID](repeating: 0, count: sequences * context)
    targets = inputs
    weights = [Float](repeating: 0, count: sequences * context)
  }

  /// The programmer's check that a batch is of the loader's shape.
  func requireShape(sequences: Int, context: Int) {
    precondition(
      self.sequences == sequences && self.context == context,
      "a batch of \(self.sequences)×\(self.context) given to a loader of \(sequences)×\(context)")
  }

  /// Keeps attention within documents: each begins with the end-of-text before it.
  mutating func isolateDocuments(endOfText: TokenID) {
    var start = 0
    for i in inputs.indices {
      let position = i % context
      if position == 0 || inputs[i] == endOfText { start = position }
      starts.append(Int32(start))
    }
  }

  /// Empties what another loader said about examples, pairs and labels, keeping the storage.
  mutating func forgetExamples() {
    starts.removeAll(keepingCapacity: true)
    lengths.removeAll(keepingCapacity: true)
    margins.removeAll(keepingCapacity: true)
    labels.removeAll(keepingCapacity: true)
    sources.removeAll(keepingCapacity: true)
    sourceLengths.removeAll(keepingCapacity: true)
  }
}
