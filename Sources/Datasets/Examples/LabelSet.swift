import Tokenizers

/// Labelled texts encoded as examples for sequence classification or regression.
package struct LabelSet: BatchableSet {
  /// The task of the head.
  package enum Task: Sendable, Equatable {
    /// Classification into the given classes, or into all labels of the records when nil.
    case classes([String]?)
    /// Regression.
    case values
  }

  /// The texts; their loss masks include no token.
  package let texts: EncodedExamples
  /// The class index or the value of each text.
  package let labels: [Float]
  /// The names of the classes, by index; empty for regression.
  package let classes: [String]
  /// The counts of used and unused records.
  package let statistics: ExampleStatistics
  /// The padding id.
  package let padding: TokenID

  /// Encodes the labelled texts `records` with `tokenizer`, including its special tokens around a
  /// text, as transformers' pipelines do.
  ///
  /// When no classes are given, they are the labels of the records: numbers sorted by value, then
  /// names sorted by their bytes. A number is the index of a class where no class is called by a
  /// number. A text may have as many tokens as the context; longer texts are left out and counted, or
  /// truncated if `options.truncates`. Throws `DatasetError.badRecord` for a record
  /// that is not a labelled text or has a label outside the classes, and `.oneClass` or
  /// `.oneClassGiven` when there is only one class.
  ///
  /// - Parameter padding: The padding id; end-of-text when nil.
  package init(
    _ records: [LocatedRecord], tokenizer: any Tokenizer, task: Task, options: ExampleOptions,
    padding: TokenID? = nil
  ) throws(DatasetError) {
    let classes: [String] =
      switch task {
      case .classes(let given): given ?? Self.classes(of: records)
      case .values: []
      }
    if case .classes(nil) = task, classes.count == 1 { throw .oneClass(classes[0]) }
    let names = ClassNames(classes)
    var statistics = ExampleStatistics(of: "text")
    let made = try options.map(records, counting: &statistics) {
      record, statistics throws(RecordDefect) -> (EncodedExample, Float)? in
      guard case .labelled(let text, let label) = record else {
        throw .otherKind(found: record.kind, wanted: "a labelled text")
      }
      let number = try Self.number(of: label, task: task, classes: classes, names)
      let ids = tokenizer.encodeWithSpecialTokens(text)
      let used = try options.usableLength(
        ids.count, prompt: 0, limit: options.context, counting: &statistics)
      guard let used else { return nil }
      let example = EncodedExample(
        ids: ids, lossMask: [Bool](repeating: false, count: ids.count))
      return (example.cut(to: used, keepingEnd: tokenizer.isSpecial), number)
    }
    try options.requireExamples(statistics)
    // A label outside the given classes is refused before.
    if case .classes = task, classes.count == 1 { throw .oneClassGiven(classes[0]) }
    texts = EncodedExamples(made.map(\.0))
    labels = made.map(\.1)
    self.classes = classes
    statistics.tokens = texts.tokens
    self.statistics = statistics
    self.padding = padding ?? tokenizer.endOfText
  }

  package var count: Int { labels.count }

  /// The id that ends every text; nil when texts end differently.
  package var last: TokenID? {
    let ends = Set((0..<texts.count).map { texts[$0].ids.last })
    return ends.count == 1 ? ends.first.flatMap(\.self) : nil
  }

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
    let texts = numbers.sorted().map { Label.number($0).text }
    return texts + names.subtracting(texts).sorted(by: FilePaths.precedes)
  }

  /// The largest value of a regression: sums of its square are finite in fp32.
  private static let largestValue = 1e15

  private static func number(
    of label: Label, task: Task, classes: [String], _ names: ClassNames
  ) throws(RecordDefect) -> Float {
    switch (task, label) {
    case (.values, .number(let number)):
      guard abs(number) <= Self.largestValue else { throw .valueTooLarge(label.text) }
      return Float(number)
    case (.values, .name(let name)):
      // Such as 1e-3 in a table.
      guard let value = Double(name), value.isFinite else { throw .notAValue(name) }
      return try Self.number(of: .number(value), task: task, classes: classes, names)
    case (.classes, _):
      guard let index = names.index(of: label.text) else {
        throw .unknownClass(label.text, classes: classes)
      }
      return Float(index)
    }
  }

  /// Fills `batch` with the texts `indices`; `labels` has the class or the value of each.
  package func fill(_ batch: inout Batch, with indices: [Int]) {
    // A head reads one position at least: padding where a text has no token.
    batch.begin(examples: indices.map { max(1, texts.length(of: $0)) }, padding: padding)
    for (place, index) in zip(batch.examples, indices) {
      texts.write(index, to: &batch, at: place.lowerBound, lastIsInput: true)
    }
    batch.labels.append(contentsOf: indices.map { labels[$0] })
  }
}

extension EncodedExample {
  /// Returns the first `count` ids; when this truncates the example, a special token at its end
  /// replaces the last of them.
  fileprivate func cut(to count: Int, keepingEnd isSpecial: (TokenID) -> Bool) -> EncodedExample {
    guard count < ids.count, count > 0, let end = ids.last, isSpecial(end) else {
      return prefix(count)
    }
    return EncodedExample(
      ids: ids.prefix(count - 1) + [end], lossMask: Array(lossMask.prefix(count)))
  }
}

extension Label {
  /// The class name of the label; a whole number is written without decimals.
  package var text: String {
    switch self {
    case .name(let name): name
    case .number(let number): Int(exactly: number).map(String.init) ?? "\(number)"
    }
  }
}

/// The names of classes, by index.
struct ClassNames {
  private let indices: [String: Int]
  /// True when no name is a number, so that a number in a record is the index of a class.
  private let areWords: Bool

  init(_ names: [String]) {
    indices = Dictionary(
      names.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
    areWords = names.allSatisfy { Double($0) == nil }
  }

  /// Returns the index of the class called `label`, or with that index as a number; nil when there is
  /// none.
  func index(of label: String) -> Int? {
    if let index = indices[label] { return index }
    guard areWords, let index = Int(label), (0..<indices.count).contains(index) else { return nil }
    return index
  }
}
