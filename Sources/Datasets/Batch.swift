import Tokenizers

/// The inputs, targets and weights of one forward pass.
///
/// B sequences of T tokens; every array is B×T, row-major, unless its comment gives another shape.
/// Beside inputs, targets and weights, the kinds of examples use
///
///     windows of a corpus      starts, if documents are isolated
///     packed conversations     starts
///     words with tags          starts
///     labelled texts           lengths, labels
///     preference pairs         lengths, margins
///     sources and targets      sources, sourceLengths
///
/// and the other arrays are empty.
package struct Batch: Sendable, Equatable {
  /// The number of sequences, B.
  package let sequences: Int
  /// The number of tokens in each sequence, T.
  package let context: Int
  /// The input ids.
  package var inputs: [TokenID]
  /// The target ids.
  package var targets: [TokenID]
  /// The loss mask: 1 where a target counts in the loss, 0 where it does not.
  package var weights: [Float]
  /// The index, within its row, of the first position of the example at each position; empty when
  /// every row is one example.
  ///
  /// Attention does not cross example boundaries, and positions restart at each example: the
  /// position of an input is its index − its start.
  package var starts: [Int32] = []
  /// The number of inputs of each row that are not padding, B; empty when all rows are full.
  package var lengths: [Int32] = []
  /// The margin by which the chosen answer of each pair of rows (2i chosen, 2i + 1 rejected) should
  /// lead, B ÷ 2.
  package var margins: [Float] = []
  /// The class index or the regression value of each row, B.
  package var labels: [Float] = []
  /// The encoder inputs, B × the source length, row-major; empty for models without an encoder.
  package var sources: [TokenID] = []
  /// The number of tokens of each source that are not padding, B; empty without sources.
  package var sourceLengths: [Int32] = []

  /// Creates a batch of zeros, which a loader can fill repeatedly without allocating.
  package init(sequences: Int, context: Int) {
    precondition(
      sequences >= 1 && context >= 1, "a batch of \(sequences) sequences of \(context) tokens")
    self.sequences = sequences
    self.context = context
    inputs = [TokenID](repeating: 0, count: sequences * context)
    targets = inputs
    weights = [Float](repeating: 0, count: sequences * context)
  }

  /// Begins a new filling by a loader of `sequences` × `context` tokens, which must be the batch's
  /// shape: the arrays that only some kinds of examples use become empty and keep their storage.
  mutating func begin(sequences: Int, context: Int) {
    precondition(
      self.sequences == sequences && self.context == context,
      "a batch of \(self.sequences)×\(self.context) given to a loader of \(sequences)×\(context)")
    starts.removeAll(keepingCapacity: true)
    lengths.removeAll(keepingCapacity: true)
    margins.removeAll(keepingCapacity: true)
    labels.removeAll(keepingCapacity: true)
    sources.removeAll(keepingCapacity: true)
    sourceLengths.removeAll(keepingCapacity: true)
  }

  /// Fills `starts` so that attention stays within a document.
  ///
  /// A document begins with the end-of-text token that precedes it.
  mutating func isolateDocuments(endOfText: TokenID) {
    var start = 0
    for i in inputs.indices {
      let position = i % context
      if position == 0 || inputs[i] == endOfText { start = position }
      starts.append(Int32(start))
    }
  }

  /// Replaces the inputs `endOfText`, one before each document, by `beginning`, unless it is nil.
  mutating func beginDocuments(with beginning: TokenID?, after endOfText: TokenID) {
    guard let beginning else { return }
    for i in inputs.indices where inputs[i] == endOfText { inputs[i] = beginning }
  }

  /// Sets the weights of the rows from `row` on to 0.
  mutating func ignoreRows(from row: Int) {
    for place in row * context..<weights.count { weights[place] = 0 }
  }
}
