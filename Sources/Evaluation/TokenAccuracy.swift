import Datasets
import Layers
import Models
import Tensors

/// How often the most likely token is the right one.
public struct TokenAccuracy: Sendable, Equatable {
  /// Targets that count.
  public var tokens = 0
  /// Those whose id is the most likely one.
  public var right = 0
  /// Runs of targets without a gap: the answers of a conversation.
  public var answers = 0
  /// Answers whose tokens are all right: those that greedy decoding gives word for word.
  public var exact = 0

  /// Nothing looked at.
  public init() {}

  /// Of the targets of `batch`, by the hidden states before them.
  public init(
    _ model: any LanguageModel, hidden: Tensor, _ batch: Batch, _ pass: ForwardPass
  ) {
    self.init()
    let places = batch.weights.indices.filter { batch.weights[$0] != 0 }
    // As many logits at a time as a training step keeps.
    for start in stride(from: 0, to: places.count, by: 256) {
      let part = Array(places[start..<min(places.count, start + 256)])
      let logits = model.head(
        model.transform(hidden.rows(at: part), pass), precise: true)
      for (row, place) in part.enumerated() {
        let scores = UnsafeBufferPointer(
          start: logits.pointer + row * logits.columns, count: logits.columns)
        let isRight = scores.indexOfLargest == Int(batch.targets[place])
        let continues = place > 0 && place % batch.context != 0 && batch.weights[place - 1] != 0
        tokens += 1
        right += isRight ? 1 : 0
        if continues {
          isExact = isExact && isRight
        } else {
          endAnswer()
          answers += 1
          isExact = isRight
        }
      }
    }
    endAnswer()
  }

  private var isExact = false

  private mutating func endAnswer() {
    if isExact { exact += 1 }
    isExact = false
  }
}

extension UnsafeBufferPointer<Float> {
  /// The first index of the largest element.
  public var indexOfLargest: Int {
    var best = 0
    for index in indices where self[index] > self[best] { best = index }
    return best
  }
}
