import DataParallel
import Datasets
import Evaluation
import Layers
import Monitoring
import Training

/// Evaluates a token classifier on held-out words.
struct TagEvaluator: HeldOutEvaluator {
  private let loader: TagEvaluationLoader

  init(_ loader: TagEvaluationLoader) {
    self.loader = loader
  }

  /// Computes the loss, accuracy and F1 of the tags and, for tags that mark spans, F1 of the spans.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, figures: [Figure]) {
    let (loss, results) = try replicas.measured(count: loader.batchCount) {
      [loader] replica, _, index in
      loader.fill(&replica.batch, index: index)
      let batch = replica.batch
      let pass = ForwardPass(sequences: batch.sequences, starts: batch.starts)
      let hidden = replica.model.hidden(batch.inputs, pass)
      let losses = replica.model.tokenLosses(hidden: hidden, batch, pass)
      let places = batch.weights.indices.filter { batch.weights[$0] != 0 }
      let logits = replica.model.head(hidden.rows(at: places), fp32Output: true)
      let words = places.enumerated().map { row, place in
        let own = UnsafeBufferPointer(
          start: logits.pointer + row * logits.columns, count: logits.columns)
        return TaggedWord(
          text: index * batch.sequences + place / batch.context,
          predicted: Int32(own.indexOfLargest), actual: batch.targets[place])
      }
      return (Tally(sum: losses.total, count: batch.weight), words)
    }
    let words = results.flatMap { $0 }
    let quality = ClassificationQuality(
      predicted: words.map { Int($0.predicted) }, actual: words.map { Int($0.actual) },
      classes: loader.set.classes.count)
    var figures = quality.figures
    if SpanQuality.applies(to: loader.set.classes) {
      figures.append(Figure("spanF1", spans(of: words).f1))
    }
    return (loss, figures)
  }

  private func spans(of words: [TaggedWord]) -> SpanQuality {
    var quality = SpanQuality()
    let names = loader.set.classes
    var start = 0
    while start < words.count {
      let text = words[start...].prefix { $0.text == words[start].text }
      quality.count(
        predicted: text.map { names[Int($0.predicted)] }, actual: text.map { names[Int($0.actual)] }
      )
      start += text.count
    }
    return quality
  }
}

/// The predicted and the actual tag of a word.
private struct TaggedWord: BitwiseCopyable, Sendable {
  /// The index of its text.
  let text: Int
  let predicted: Int32
  let actual: Int32
}
