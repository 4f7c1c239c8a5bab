import DataParallel
import Datasets
import Evaluation
import Layers
import Monitoring

/// Evaluates a token classifier on held-out words.
struct TagEvaluator: Evaluator {
  private let loader: TagEvaluationLoader

  init(_ loader: TagEvaluationLoader) {
    self.loader = loader
  }

  let evaluatesBeforeTraining = true

  func evaluate(_ trainer: Trainer) throws -> (report: EvaluationReport, note: String?) {
    var clock = Stopwatch()
    let (loss, figures) = try measure(trainer.replicas)
    return (trainer.report(loss, seconds: clock.lap(), figures: figures), nil)
  }

  /// Computes the loss, accuracy and F1 of the tags and, for tags that mark spans, F1 of the spans.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, figures: [Figure]) {
    // Loss and weight of a batch, then the index of the text, the prediction and the tag of each
    // word.
    let results = try replicas.collected(count: loader.batchCount) {
      [loader] replica, _, index -> [Double] in
      loader.fill(&replica.batch, index: index)
      let batch = replica.batch
      let pass = ForwardPass(sequences: batch.sequences, starts: batch.starts)
      let hidden = replica.model.hidden(batch.inputs, pass)
      let losses = TokenLoss.losses(replica.model, hidden: hidden, batch, pass)
      let places = batch.weights.indices.filter { batch.weights[$0] != 0 }
      let logits = replica.model.head(hidden.rows(at: places), fp32Output: true)
      return [losses.total, batch.weight]
        + places.enumerated().flatMap { row, place -> [Double] in
          let own = UnsafeBufferPointer(
            start: logits.pointer + row * logits.columns, count: logits.columns)
          let text = index * batch.sequences + place / batch.context
          return [Double(text), Double(own.indexOfLargest), Double(batch.targets[place])]
        }
    }
    let loss = results.map { Tally(sum: $0[0], count: $0[1]) }.total
    let words = results.flatMap { result in
      stride(from: 2, to: result.count, by: 3).map { result[$0..<$0 + 3].map { Int($0) } }
    }
    let quality = ClassificationQuality(
      predicted: words.map { $0[1] }, actual: words.map { $0[2] }, classes: loader.set.classes.count
    )
    var figures = [
      Figure("accuracy", quality.accuracy),
      Figure("accuracyLow", quality.interval.lowerBound, isDetail: true),
      Figure("accuracyHigh", quality.interval.upperBound, isDetail: true),
      Figure("macroF1", quality.macroF1),
    ]
    if SpanQuality.applies(to: loader.set.classes) {
      figures.append(Figure("spanF1", spans(of: words).f1))
    }
    return (loss, figures)
  }

  private func spans(of words: [[Int]]) -> SpanQuality {
    var quality = SpanQuality()
    let names = loader.set.classes
    var start = 0
    while start < words.count {
      let text = words[start...].prefix { $0[0] == words[start][0] }
      quality.count(predicted: text.map { names[$0[1]] }, actual: text.map { names[$0[2]] })
      start += text.count
    }
    return quality
  }
}
