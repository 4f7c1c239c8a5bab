import Checkpoints
import DataParallel
import Datasets
import Evaluation
import Files
import Glibc
import MPI
import Models
import Monitoring
import Objectives
import Tensors
import Tokenizers
import Training

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
  ///
  /// - Parameter context: The largest number of positions of a text, at most the model's; nil for
  ///   that.
  package init(
    path: String, context: Int? = nil, world: Communicator, workers: Cores.Assignment,
    precision: Precision
  ) throws {
    let (folder, network, frozen) = try world.together {
      let folder = try ModelFolder(path: path)
      let network: any NetworkConfiguration =
        switch folder.network {
        case is SequenceClassifierConfiguration, is TokenClassifierConfiguration: folder.network
        default: try folder.languageModel()
        }
      return (folder, network, try folder.frozen(precision: precision))
    }
    self.folder = folder
    self.context = context ?? folder.configuration.context
    // All parameters are frozen.
    replicas = try DataParallel(
      world: world, layout: ParameterLayout(), frozen: frozen,
      plan: .init(
        microBatches: 1, threads: workers.threads, cores: workers.cores, precision: precision)
    ) { Replica(network, $0) }
    try agree(on: "model \(path)") { try folder.weightsDigest() }
  }

  /// Refuses ranks whose input `name` differs: files of one path, or the newest checkpoint of a run
  /// that is under way.
  ///
  /// Collective.
  func agree(on name: String, _ identity: () throws -> String) throws {
    let world = replicas.world
    if world.size == 1 { return }
    try StartContract([(name, try world.together(identity))]).agree(over: world)
  }

  /// Returns loss, perplexity and bits per byte of texts; for masked and sequence-to-sequence
  /// language models loss and perplexity of the masked tokens or corrupted spans.
  ///
  /// Collective.
  ///
  /// - Parameter countsEnds: True when a causal model predicts the end of each text too.
  package func texts(_ sources: [String], countsEnds: Bool = true) throws -> [Figure] {
    let (task, corpus) = try replicas.world.together {
      (try textTask(countsEnds: countsEnds), try self.corpus(of: sources))
    }
    try agree(on: "texts") { corpus.identity }
    let context = task.context(filledBy: corpus.tokens.count, atMost: context)
    let total = try TextEvaluation(
      task, corpus.tokens, context: context, sequences: ModelEvaluation.rows, tokenLimit: nil
    ).measure(replicas)
    let leftOut = corpus.emptyFiles > 0 ? [Figure("leftOut", Double(corpus.emptyFiles))] : []
    if task.figurePrefix.isEmpty {
      return [
        Figure("tokens", total.count), Figure("loss", total.mean),
        Figure("perplexity", exp(total.mean)),
        Figure("bitsPerByte", bitsPerByte(total.sum, bytes: Double(corpus.bytes))),
      ] + leftOut
    }
    return [
      Figure("tokens", total.count),
      Figure("\(task.figurePrefix)Loss", total.mean),
      Figure("\(task.figurePrefix)Perplexity", exp(total.mean)),
    ] + leftOut
  }

  /// The task on text that the model was pretrained on, with the settings of BERT or T5.
  private func textTask(countsEnds: Bool) throws -> any TextTask {
    let (model, tokenizer) = (try folder.languageModel(), folder.tokenizer)
    guard countsEnds || model.prediction == .causal else {
      throw CheckpointError.otherNetwork(
        path: folder.path, found: model.prediction.modelKind,
        wanted: "a causal language model, whose texts have an end to leave out")
    }
    switch model.prediction {
    case .causal:
      return NextTokenTask(beginning: folder.beginningOfText, countsEnds: countsEnds)
    case .masked:
      guard let masking = TokenMasking(tokenizer) else {
        throw CheckpointError.noModel(
          path: folder.path, reason: "its tokenizer lacks [CLS], [SEP] or [MASK]")
      }
      return MaskedTokenTask(masking: masking)
    case .sequenceToSequence:
      let corruption = SpanCorruption(of: tokenizer, for: model)
      let (spans, free) = (corruption.sizes(ofSource: context).spans, corruption.sentinels.count)
      guard spans <= free else {
        throw CheckpointError.noModel(
          path: folder.path,
          reason: "it has \(free) sentinels for the \(spans) corrupted spans of a row")
      }
      return SpanCorruptionTask(corruption: corruption)
    }
  }

  /// Returns the figures on records: answers for a language model, labels for a classifier, tags
  /// for a token classifier, pairs for a reward model.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - names: The names of the records' fields in the files.
  ///   - skipsBad: True to skip and count bad records; otherwise they are errors.
  /// - Returns: The figures, and the fields of the records that are not used.
  package func records(
    _ sources: [String], names: FieldNames, template: ExampleDataOptions.Template, skipsBad: Bool
  ) throws -> (figures: [Figure], unused: UnusedFields) {
    let (evaluator, statistics, identity) = try replicas.world.together {
      let all = try RecordSet(
        reading: sources, validation: .fraction(0), names: names, skipsBad: skipsBad)
      let (evaluator, statistics) = try self.evaluator(
        all.train, template, Datasets.ExampleOptions(context: context, skipsBad: skipsBad))
      return (evaluator, statistics.counting(all.skipped, all.unused), all.identity)
    }
    try agree(on: "records") { identity }
    let (loss, figures) = try evaluator.measure(replicas)
    // The number of records that are in no other figure.
    let leftOut = Double(statistics.leftOut)
    let all =
      [Figure("records", Double(statistics.examples))] + evaluator.lossFigures(loss) + figures
      + (leftOut > 0 ? [Figure("leftOut", leftOut)] : [])
    return (all, statistics.unusedFields)
  }

  /// Returns the evaluator for the model's head, on examples of `records`.
  private func evaluator(
    _ records: [LocatedRecord], _ template: ExampleDataOptions.Template,
    _ options: Datasets.ExampleOptions
  ) throws -> (any HeldOutEvaluator, ExampleStatistics) {
    let (rows, tokenizer) = (ModelEvaluation.rows, folder.tokenizer)
    let chat = { [folder] in
      ChatEncoder(try InitialModel.template(template, of: folder), tokenizer: tokenizer)
    }
    if let classifier = folder.network as? TokenClassifierConfiguration {
      let set = try TagSet(
        records, tokenizer: tokenizer, classes: classifier.labels, options: options,
        padding: folder.padding)
      return (TagEvaluator(set, sequences: rows), set.statistics)
    }
    guard let classifier = folder.classifier else {
      try folder.requireGenerativeModel(allowingSequenceToSequence: true)
      if folder.configuration.prediction == .sequenceToSequence {
        let set = try folder.targets(of: records, options)
        let loader = SetEvaluationLoader(set, sequences: rows)
        return (AnswerEvaluator(loader), set.statistics)
      }
      let set = try ExampleSet(records, chat: try chat(), options: options)
      let loader = try ExampleEvaluationLoader(set, tokens: rows * context)
      return (AnswerEvaluator(loader), set.statistics)
    }
    if case .pair = records.first?.record {
      guard classifier.labels.count == 1 else {
        throw CheckpointError.otherNetwork(
          path: folder.path, found: "a classifier of \(classifier.labels.count) classes",
          wanted: "a reward model, which has one output,")
      }
      let set = try PairSet(records, chat: try chat(), options: options)
      return (
        RewardEvaluator(set, sequences: rows, loss: BradleyTerry()),
        set.statistics
      )
    }
    let isClasses = classifier.problem == .classification
    let set = try LabelSet(
      records, tokenizer: tokenizer, task: isClasses ? .classes(classifier.labels) : .values,
      options: options, padding: classifier.padding.map { TokenID($0) })
    return (LabelEvaluator(set, sequences: rows), set.statistics)
  }

  /// The tokens of the texts, one document after another, the number of bytes that they encode, the
  /// number of empty files, and a fingerprint of the content.
  private func corpus(
    of sources: [String]
  ) throws -> (tokens: TokenStream, bytes: Int, emptyFiles: Int, identity: String) {
    var ids: [TokenID] = []
    var bytes = 0
    var hash = FNV1a()
    var documents = DocumentStream(try SourceList(sources).files)
    while let document = try documents.next() {
      ids += document.bytes.withUnsafeBufferPointer(folder.tokenizer.encode)
      ids.append(folder.tokenizer.endOfText)
      document.bytes.withUnsafeBufferPointer { hash.combine($0) }
      bytes += document.bytes.count
    }
    return (
      TokenStream(
        ids, vocabularySize: folder.configuration.vocabulary,
        endOfText: folder.tokenizer.endOfText), bytes, documents.skipped.emptyFiles.count,
      "\(ids.count) tokens with checksum \(String(hash.value, radix: 16))"
    )
  }
}
