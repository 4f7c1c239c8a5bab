import Tokenizers

/// The inputs, targets and weights of one forward pass.
///
/// B sequences of T tokens; every array is B×T, row-major, unless its comment gives another shape.
/// Windows of a corpus fill all sequences; examples of different lengths lie one after another in a
/// single sequence, so that a batch holds little else than their tokens. Beside inputs, targets and
/// weights, the kinds of examples use
///
///     windows of a corpus      starts, if documents are isolated
///     conversations            starts, examples
///     words with tags          starts, examples
///     labelled texts           starts, examples, labels
///     preference pairs         starts, examples, margins
///     sources and targets      sources, sourceLengths
///
/// and the other arrays are empty.
package struct Batch: Sendable, Equatable {
  /// The number of sequences, B.
  package private(set) var sequences: Int
  /// The number of tokens in each sequence, T.
  package private(set) var context: Int
  /// The input ids.
  package var inputs: [TokenID]
  /// The target ids.
  package var targets: [TokenID]
  /// The loss mask: 1 where a target counts in the loss, 0 where it does not.
  package var weights: [Float]
  /// The index, within its sequence, of the first position of the example at each position; empty
  /// when every sequence is one example.
  ///
  /// Attention does not cross example boundaries, and positions restart at each example: the
  /// position of an input is its index − its start.
  package var starts: [Int32] = []
  /// The positions of each example, in order, in a batch of examples that lie one after another.
  package private(set) var examples: [Range<Int>] = []
  /// The margin by which the chosen answer of each pair of examples (2i chosen, 2i + 1 rejected)
  /// should lead.
  package var margins: [Float] = []
  /// The class index or the regression value of each example.
  package var labels: [Float] = []
  /// The encoder inputs, B × the source length, row-major; empty for models without an encoder.
  package var sources: [TokenID] = []
  /// The number of tokens of each source that are not padding, B; empty without sources.
  package var sourceLengths: [Int32] = []

  /// Creates a batch of zeros, which loaders fill repeatedly, of any shape.
  package init(sequences: Int = 1, context: Int = 1) {
    (self.sequences, self.context) = (0, 0)
    (inputs, targets, weights) = ([], [], [])
    begin(sequences: sequences, context: context)
  }

  /// Begins a new filling of `sequences` × `context` tokens; the arrays that only some kinds of
  /// examples use become empty.
  ///
  /// Arrays keep their storage, so that batches of one shape are filled without allocating.
  package mutating func begin(sequences: Int, context: Int) {
    precondition(
      sequences >= 1 && context >= 1, "a batch of \(sequences) sequences of \(context) tokens")
    (self.sequences, self.context) = (sequences, context)
    inputs.resize(to: sequences * context, with: 0)
    targets.resize(to: sequences * context, with: 0)
    weights.resize(to: sequences * context, with: 0)
    starts.removeAll(keepingCapacity: true)
    examples.removeAll(keepingCapacity: true)
    margins.removeAll(keepingCapacity: true)
    labels.removeAll(keepingCapacity: true)
    sources.removeAll(keepingCapacity: true)
    sourceLengths.removeAll(keepingCapacity: true)
  }

  /// Begins a new filling with examples of `lengths` tokens, one after another in one sequence.
  ///
  /// All positions have padding of weight 0 until an example is written; a little stays at the end
  /// (see `roundedLength`).
  package mutating func begin(examples lengths: [Int], padding: TokenID) {
    let count = lengths.reduce(0, +)
    begin(sequences: 1, context: Batch.roundedLength(max(1, count)))
    var end = 0
    for length in lengths {
      examples.append(end..<end + length)
      starts.append(contentsOf: repeatElement(Int32(end), count: length))
      end += length
    }
    // Positions of the padding restart as often as those of an example, so that they stay within
    // the model's context.
    let longest = max(1, lengths.max() ?? 1)
    starts.append(contentsOf: (end..<context).map { Int32($0 - ($0 - end) % longest) })
    for place in 0..<context {
      inputs[place] = padding
      targets[place] = padding
      weights[place] = 0
    }
  }

  /// Begins a new filling with the inputs `texts`, one after another; see `begin(examples:)`.
  package mutating func begin(texts: [[TokenID]], padding: TokenID) {
    begin(examples: texts.map(\.count), padding: padding)
    for (places, text) in zip(examples, texts) { inputs.replaceSubrange(places, with: text) }
  }

  /// Returns the length to which `count` tokens are padded: a multiple of a sixteenth of the largest
  /// power of two up to `count`.
  ///
  /// Batches of examples then have few different lengths, for each of which oneDNN prepares its
  /// matrix products once, and at most one position in 16 is padding.
  package static func roundedLength(_ count: Int) -> Int {
    precondition(count >= 1, "a length of \(count) tokens")
    let step = max(1, (1 << (Int.bitWidth - 1 - count.leadingZeroBitCount)) / 16)
    return (count + step - 1) / step * step
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

  /// Returns true when `position`, counted through all sequences, is the first of an example.
  package func isFirst(_ position: Int) -> Bool {
    let index = position % context
    return starts.isEmpty ? index == 0 : Int(starts[position]) == index
  }
}

extension Array {
  /// Changes the number of elements to `count`, with new elements `value`.
  fileprivate mutating func resize(to count: Int, with value: Element) {
    if self.count > count {
      removeLast(self.count - count)
    } else {
      append(contentsOf: repeatElement(value, count: count - self.count))
    }
  }
}
