import Tokenizers

/// Words with tags encoded as examples for token classification.
///
/// The first token of a word has the word's tag; its other tokens have none, as in Hugging Face's
/// examples.
package struct TagSet: BatchableSet {
  /// The ids of each text.
  private let texts: [[TokenID]]
  /// The class index of each token; −1 for a token without a tag.
  private let tags: [[Int32]]
  /// The names of the classes, by index.
  package let classes: [String]
  /// The counts of used and unused records; tokens with a tag count as loss tokens.
  package let statistics: ExampleStatistics
  /// The padding id.
  package let padding: TokenID

  /// Encodes the words and tags of `records` with `tokenizer`, including its special tokens around a
  /// text.
  ///
  /// When no classes are given, they are the tags of the records, sorted by their bytes. A text may
  /// have as many tokens as the context; longer texts are left out and counted, or lose their last
  /// words if `options.truncates`. Throws `DatasetError.badRecord` for a record of another kind, or with
  /// a tag outside the classes.
  package init(
    _ records: [LocatedRecord], tokenizer: any Tokenizer, classes: [String]?,
    options: ExampleOptions, padding: TokenID? = nil
  ) throws(DatasetError) {
    let given = classes
    let classes = given ?? Self.classes(of: records)
    if given == nil, classes.count == 1 { throw .oneClass(classes[0]) }
    let names = ClassNames(classes)
    let frame = Frame(tokenizer)
    var statistics = ExampleStatistics()
    let made = try options.map(records, counting: &statistics) {
      record, statistics throws(RecordDefect) -> (ids: [TokenID], tags: [Int32])? in
      guard case .tagged(let words, let tagged) = record else {
        throw .otherKind(found: record.kind, wanted: "words with tags")
      }
      var (ids, tags): ([TokenID], [Int32]) = ([], [])
      for (word, name) in zip(words, tagged) {
        guard let tag = names.index(of: name).map({ Int32($0) }) else {
          throw .unknownClass(name, classes: classes)
        }
        let tokens = tokenizer.encode(word)
        ids += tokens
        tags += tokens.indices.map { $0 == 0 ? tag : -1 }
      }
      let around = frame.before.count + frame.after.count
      let used = try options.usableLength(
        ids.count + around, prompt: 0, limit: options.context, counting: &statistics)
      guard let used else { return nil }
      let inner = max(0, used - around)
      return (
        frame.before + ids.prefix(inner) + frame.after,
        frame.before.map { _ in -1 } + tags.prefix(inner) + frame.after.map { _ in -1 }
      )
    }
    try options.requireExamples(statistics)
    // A tag outside the given classes is refused before.
    if classes.count == 1 { throw .oneClassGiven(classes[0]) }
    texts = made.map(\.ids)
    tags = made.map(\.tags)
    self.classes = classes
    statistics.tokens = texts.reduce(0) { $0 + $1.count }
    statistics.lossTokens = tags.reduce(0) { $0 + $1.count { $0 >= 0 } }
    self.statistics = statistics
    self.padding = padding ?? tokenizer.endOfText
  }

  package var count: Int { texts.count }

  private static func classes(of records: [LocatedRecord]) -> [String] {
    var names: Set<String> = []
    for record in records {
      if case .tagged(_, let tags) = record.record { names.formUnion(tags) }
    }
    return names.sorted(by: FilePaths.precedes)
  }

  /// Fills `batch` with the texts `indices`.
  ///
  /// Targets are class indices; tokens with a tag have weight 1, all others 0.
  package func fill(_ batch: inout Batch, with indices: [Int]) {
    batch.begin(examples: indices.map { texts[$0].count }, padding: padding)
    for (places, index) in zip(batch.examples, indices) {
      for (place, (id, tag)) in zip(places, zip(texts[index], tags[index])) {
        batch.inputs[place] = id
        batch.targets[place] = max(0, tag)
        batch.weights[place] = tag >= 0 ? 1 : 0
      }
    }
  }
}

/// The special tokens that a tokenizer puts around a text.
private struct Frame {
  let before: [TokenID]
  let after: [TokenID]

  init(_ tokenizer: any Tokenizer) {
    // Any text that has tokens shows them.
    let text = "a"
    let (whole, inner) = (tokenizer.encodeWithSpecialTokens(text), tokenizer.encode(text))
    let start = (0...max(0, whole.count - inner.count)).first {
      whole[$0...].starts(with: inner)
    }
    before = Array(whole.prefix(start ?? 0))
    after = Array(whole.dropFirst((start ?? 0) + inner.count))
  }
}
