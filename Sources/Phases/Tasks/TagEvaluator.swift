import DataParallel
import Datasets
import Evaluation
import Monitoring
import Training

/// Evaluates a token classifier on held-out words.
struct TagEvaluator: HeldOutEvaluator {
  private let loader: SetEvaluationLoader<TagSet>

  init(_ set: TagSet, sequences: Int) {
    loader = SetEvaluationLoader(set, sequences: sequences)
  }

  /// Computes the loss, accuracy and F1 of the tags and, for tags that mark spans, F1 of the spans.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, figures: [Figure]) {
    let (loss, results) = try replicas.measured(count: loader.batchCount) {
      [loader] replica, _, index in
      loader.fill(&replica.batch, index: index)
      let batch = replica.batch
      let pass = batch.pass()
      let hidden = replica.model.hidden(batch.inputs, pass)
      let losses = replica.model.tokenLosses(hidden: hidden, batch, pass)
      let places = batch.weights.indices.filter { batch.weights[$0] != 0 }
      let logits = replica.model.head(hidden.rows(at: places), fp32Output: true)
      let first = loader.range(ofBatch: index).lowerBound
      let texts = batch.examples.enumerated().flatMap { text, places in places.map { _ in text } }
      let words = places.enumerated().map { row, place in
        ClassPrediction(
          text: first + texts[place], predicted: logits.indexOfLargest(inRow: row),
          actual: batch.targets[place])
      }
      return (Tally(sum: losses.total, count: batch.weight), words)
    }
    let words = results.flatMap(\.self)
    var figures = ClassificationQuality(words, classes: loader.set.classes.count).figures
    if SpanQuality.applies(to: loader.set.classes) {
      figures.append(Figure("spanF1", spans(of: words).f1))
    }
    return (loss, figures)
  }

  private func spans(of words: [ClassPrediction]) -> SpanQuality {
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
