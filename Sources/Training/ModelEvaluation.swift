import Checkpoints
import DataParallel
import Datasets
import Evaluation
import Glibc
import MPI
import Models
import Monitoring
import Tensors
import Tokenizers

/// Evaluates a model on files, sharded over all workers of all ranks; the figures do not depend on
/// their number.
package struct ModelEvaluation {
  /// The folder of the model.
  package let folder: ModelFolder
  let replicas: DataParallel<Replica>
  private let context: Int
  /// Rows of a batch: enough for efficient matrix products, few enough for a small memory.
  private static let rows = 8

  /// Reads the model at `path`.
  ///
  /// Collective.
  package init(
    path: String, world: Communicator, workers: Cores.Assignment, precision: Precision
  ) throws {
    let (folder, network, frozen) = try world.together {
      let folder = try ModelFolder(path: path)
      let network: TrainedNetwork =
        switch folder.network {
        case let classifier as SequenceClassifierConfiguration: .classifier(classifier)
        case let tokenClassifier as TokenClassifierConfiguration: .tokenClassifier(tokenClassifier)
        default: .language(try folder.languageModel())
        }
      return (folder, network, try folder.frozen(precision: precision))
    }
    self.folder = folder
    let context = folder.configuration.context
    self.context = context
    // All parameters are frozen.
    replicas = try DataParallel(
      world: world, layout: ParameterLayout(), frozen: frozen,
      plan: .init(
        microBatches: 1, threads: workers.threads, cores: workers.cores, precision: precision)
    ) { Replica(network, $0, rows: ModelEvaluation.rows, context: context) }
  }

  /// Returns loss, perplexity and bits per byte of texts; for masked and sequence-to-sequence
  /// language models loss and perplexity of the masked tokens or corrupted spans.
  ///
  /// Collective.
  package func texts(_ sources: [String]) throws -> [Figure] {
    let (shard, bytes) = try replicas.world.together { try tokens(of: sources) }
    switch folder.configuration.prediction {
    case .masked: return try maskedTokens(shard)
    case .sequenceToSequence: return try spans(shard)
    case .causal: break
    }
    let loader = try EvaluationLoader(
      tokens: shard, context: context, sequences: ModelEvaluation.rows)
    let total = try replicas.totals(count: loader.batchCount) { [loader] replica, _, index in
      try loader.fill(&replica.batch, index: index)
      let (sum, count) = TokenLoss.sum(replica.model, replica.batch)
      return [Tally(sum: sum, count: count)]
    }[0]
    return [
      Figure("loss", total.mean), Figure("perplexity", exp(total.mean)),
      Figure("bitsPerByte", total.sum / Double(bytes) / 0.693147180559945),
    ]
  }

  /// Loss and perplexity of spans corrupted as in T5's original pretraining.
  private func spans(_ tokens: TokenStream) throws -> [Figure] {
    let (model, tokenizer) = (folder.configuration, folder.tokenizer)
    let sentinels = SpanCorruption.sentinels(of: tokenizer, vocabulary: model.vocabulary)
    let start = model.start.map { TokenID($0) } ?? tokenizer.endOfText
    let corruption = SpanCorruption(
      sentinels: sentinels, start: start, end: tokenizer.endOfText,
      padding: model.padding.map { TokenID($0) } ?? start)
    let sizes = corruption.sizes(ofSource: context)
    guard sizes.spans <= sentinels.count else {
      throw CheckpointError.noModel(
        path: folder.path,
        reason: "it has \(sentinels.count) sentinels for the \(sizes.spans) corrupted spans of a "
          + "row")
    }
    let loader = try SpanCorruptionEvaluationLoader(
      tokens: tokens, corruption: corruption, context: context, sequences: ModelEvaluation.rows)
    let total = try replicas.totals(count: loader.batchCount) { [loader] replica, _, index in
      // The targets of corrupted spans are shorter than a replica's rows.
      var batch = Batch(sequences: ModelEvaluation.rows, context: sizes.target)
      try loader.fill(&batch, index: index)
      let (sum, count) = TokenLoss.sum(replica.model, batch)
      return [Tally(sum: sum, count: count)]
    }[0]
    return [Figure("spanLoss", total.mean), Figure("spanPerplexity", exp(total.mean))]
  }

  /// Loss and perplexity of masked tokens.
  private func maskedTokens(_ tokens: TokenStream) throws -> [Figure] {
    guard let masking = TokenMasking(folder.tokenizer) else {
      throw CheckpointError.noModel(
        path: folder.path, reason: "its tokenizer lacks [CLS], [SEP] or [MASK]")
    }
    let loader = try MaskedTokenEvaluationLoader(
      tokens: tokens, masking: masking, context: context, sequences: ModelEvaluation.rows)
    let total = try replicas.totals(count: loader.batchCount) { [loader] replica, _, index in
      try loader.fill(&replica.batch, index: index)
      let (sum, count) = TokenLoss.sum(replica.model, replica.batch)
      return [Tally(sum: sum, count: count)]
    }[0]
    return [Figure("maskedLoss", total.mean), Figure("maskedPerplexity", exp(total.mean))]
  }

  /// Returns the figures on records: answers for a language model, labels for a classifier, tags
  /// for a token classifier, pairs for a reward model.
  ///
  /// Collective.
  ///
  /// - Parameter skipsBad: True to skip and count bad records; otherwise they are errors.
  package func records(
    _ sources: [String], template: ExampleDataOptions.Template, skipsBad: Bool
  ) throws -> [Figure] {
    let world = replicas.world
    let all = try world.together {
      try RecordSet(reading: sources, validation: .fraction(0), skipsBad: skipsBad)
    }
    let records = all.train
    // The number of records that are in no other figure.
    let leftOut = { (statistics: ExampleStatistics) in
      let count = statistics.counting(all.skipped).leftOut
      return count > 0 ? [Figure("leftOut", Double(count))] : []
    }
    let chat = try world.together {
      ChatEncoder(
        try PhaseModel.template(template, of: folder), tokenizer: folder.tokenizer)
    }
    let options = Datasets.ExampleOptions(context: context, skipsBad: skipsBad)
    if let tokenClassifier = folder.network as? TokenClassifierConfiguration {
      let set = try world.together {
        try TagSet(
          records, tokenizer: folder.tokenizer, classes: tokenClassifier.labels, options: options,
          padding: folder.configuration.padding.map { TokenID($0) })
      }
      let (loss, figures) = try TagEvaluator(
        TagEvaluationLoader(set, context: context, sequences: ModelEvaluation.rows)
      ).measure(replicas)
      return [Figure("loss", loss.mean)] + figures + leftOut(set.statistics)
    }
    guard let classifier = folder.classifier else {
      try world.together { try folder.requireGenerativeModel(allowingSequenceToSequence: true) }
      if let start = folder.configuration.start {
        let set = try world.together {
          try SourceTargetSet(
            records, tokenizer: folder.tokenizer, start: TokenID(start),
            padding: TokenID(folder.configuration.padding ?? start), options: options)
        }
        return try answers(
          SourceTargetEvaluationLoader(
            set, context: context, sequences: ModelEvaluation.rows)) + leftOut(set.statistics)
      }
      let set = try world.together { try ExampleSet(records, chat: chat, options: options) }
      return try answers(
        ExampleEvaluationLoader(set, context: context, sequences: ModelEvaluation.rows))
        + leftOut(set.statistics)
    }
    if case .pair = records.first?.record {
      let set = try world.together { try PairSet(records, chat: chat, options: options) }
      let source = PairLoader(
        set, context: context, pairs: ModelEvaluation.rows / 2, microBatches: 1, seed: 0)
      let (loss, figures) = try RewardEvaluator(
        PairEvaluationLoader(set, context: context, pairs: ModelEvaluation.rows / 2),
        objective: RewardObjective(source, centring: 0)
      ).measure(replicas)
      return [Figure("loss", loss.mean)] + figures + leftOut(set.statistics)
    }
    let isClasses = classifier.problem == .classification
    let set = try world.together {
      try LabelSet(
        records, tokenizer: folder.tokenizer,
        task: isClasses ? .classes(classifier.labels) : .values, options: options,
        padding: TokenID(classifier.padding))
    }
    let (loss, figures) = try LabelEvaluator(
      LabelEvaluationLoader(set, context: context, sequences: ModelEvaluation.rows),
      classes: isClasses ? classifier.labels.count : 0
    ).measure(replicas)
    return [Figure("loss", loss.mean)] + figures + leftOut(set.statistics)
  }

  /// Loss, perplexity and accuracy of answers.
  private func answers(_ loader: any EvaluationSource) throws -> [Figure] {
    let (loss, figures) = try AnswerEvaluator(loader).measure(replicas)
    return [Figure("answerLoss", loss.mean), Figure("answerPerplexity", exp(loss.mean))] + figures
  }

  /// The tokens of the texts, one document after another, and the number of bytes that they encode.
  private func tokens(of sources: [String]) throws -> (TokenStream, bytes: Int) {
    var ids: [TokenID] = []
    var bytes = 0
    var documents = DocumentStream(try SourceList(sources).files)
    while let document = try documents.next() {
      ids += document.bytes.withUnsafeBufferPointer(folder.tokenizer.encode)
      ids.append(folder.tokenizer.endOfText)
      bytes += document.bytes.count
    }
    return (
      TokenStream(
        ids, vocabularySize: folder.configuration.vocabulary,
        endOfText: folder.tokenizer.endOfText), bytes
    )
  }
}
