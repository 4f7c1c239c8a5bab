import Tokenizers

/// Labelled texts as examples for a head that classifies or estimates.
public struct LabelSet: RowSet {
  /// What a head learns of labels.
  public enum Task: Sendable, Equatable {
    /// One of classes: those given, or all that the records name.
    case classes([String]?)
    /// A value.
    case values
  }

  /// The texts; nothing of them is learned as a token.
  public let texts: EncodedExamples
  /// The index of each text's class, or its value.
  public let labels: [Float]
  /// The names of the classes, by index; empty when values are learned.
  public let classes: [String]
  /// What became of the records.
  public let statistics: ExampleStatistics
  /// The id that fills rows up.
  public let padding: TokenID

  /// The labelled texts `records` as `tokenizer` writes them, with the tokens that it puts around a
  /// text, as transformers' pipelines do.
  ///
  /// Classes that are not given are the labels of the records: names by their bytes, or numbers by
  /// their value, sorted. A text may have as many tokens as the context; longer ones are left out and
  /// counted, or cut where `options` say so. Throws `DatasetError.badRecord` for a record that is no
  /// labelled text, or has a label outside the classes, and `.oneClass` when they are only one.
  ///
  /// - Parameter padding: The id that fills rows up; the end of text when nil.
  public init(
    _ records: [LocatedRecord], tokenizer: any Tokenizer, task: Task, options: ExampleOptions,
    padding: TokenID? = nil
  ) throws(DatasetError) {
    let classes: [String] =
      switch task {
      case .classes(let given): given ?? Self.classes(of: records)
      case .values: []
      }
    if case .classes = task, classes.count == 1 { throw .oneClass(classes[0]) }
    var statistics = ExampleStatistics()
    let made = try options.map(records, counting: &statistics) {
      record, statistics throws(RecordDefect) -> (EncodedExample, Float)? in
      guard case .labelled(let text, let label) = record else {
        throw .otherKind(found: record.kind, wanted: "a labelled text")
      }
      let number = try Self.number(of: label, task: task, classes: classes)
      let ids = tokenizer.encodeWhole(text)
      let used = try options.used(
        ids.count, prompt: 0, room: options.context, counting: &statistics)
      guard let used else { return nil }
      let example = EncodedExample(
        ids: ids, isTrained: [Bool](repeating: false, count: ids.count))
      return (example.cut(to: used, keepingEnd: tokenizer.isSpecial), number)
    }
    try options.requireExamples(statistics)
    texts = EncodedExamples(made.map(\.0))
    labels = made.map(\.1)
    self.classes = classes
    statistics.tokens = texts.tokens
    self.statistics = statistics
    self.padding = padding ?? tokenizer.endOfText
  }

  /// How many texts there are.
  public var count: Int { labels.count }

  private static func classes(of records: [LocatedRecord]) -> [String] {
    var names: Set<String> = []
    var numbers: Set<Double> = []
    for record in records {
      guard case .labelled(_, let label) = record.record else { continue }
      switch label {
      case .name(let name): names.insert(name)
      case .number(let number): numbers.insert(number)
      }
    }
    return numbers.sorted().map { Label.number($0).text } + names.sorted(by: FilePaths.precedes)
  }

  private static func number(
    of label: Label, task: Task, classes: [String]
  ) throws(RecordDefect) -> Float {
    switch (task, label) {
    case (.values, .number(let number)): return Float(number)
    case (.values, .name(let name)): throw .notAValue(name)
    case (.classes, _):
      guard let index = classes.firstIndex(of: label.text) else {
        throw .unknownClass(label.text, classes: classes)
      }
      return Float(index)
    }
  }

  /// Makes `batch` ready: `Batch.lengths` has the tokens of each row, `Batch.labels` its class or value.
  public func begin(_ batch: inout Batch) {
    batch.beginRows()
    batch.labels.append(contentsOf: repeatElement(0, count: batch.sequences))
  }

  /// Fills `row` of `batch` with text `index`, or with padding, one token long, when it is nil; the last
  /// token of a text, where a decoder's head reads, weighs 1 and all else 0.
  public func fill(_ batch: inout Batch, row: Int, with index: Int?) {
    batch.fill(row: row, with: index, of: texts, padding: padding)
    batch.labels[row] = index.map { labels[$0] } ?? 0
    if index != nil {
      batch.weights[row * batch.context + Int(batch.lengths[row]) - 1] = 1
    }
  }
}

/// Batches of labelled texts.
public typealias LabelLoader = RowLoader<LabelSet>
/// Evaluation batches of labelled texts.
public typealias LabelEvaluationLoader = RowEvaluationLoader<LabelSet>

extension EncodedExample {
  /// The first `count` ids; where that cuts, the special token at the end takes the place of the last.
  fileprivate func cut(to count: Int, keepingEnd isSpecial: (TokenID) -> Bool) -> EncodedExample {
    guard count < ids.count, count > 0, let end = ids.last, isSpecial(end) else {
      return prefix(count)
    }
    return EncodedExample(
      ids: ids.prefix(count - 1) + [end], isTrained: Array(isTrained.prefix(count)))
  }
}

extension Label {
  /// The name of the class that it stands for; a whole number has no decimals.
  public var text: String {
    switch self {
    case .name(let name): name
    case .number(let number): Int(exactly: number).map(String.init) ?? "\(number)"
    }
  }
}
