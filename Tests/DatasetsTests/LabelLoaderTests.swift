import Testing
import Tokenizers

@testable import Datasets

struct LabelLoaderTests {
  private static func records(_ labels: [Label]) -> [LocatedRecord] {
    located(
      labels.enumerated().map {
        .labelled(text: String(repeating: "t", count: 1 + $0 % 4), label: $1)
      })
  }

  private static func set(
    _ labels: [Label], task: LabelSet.Task = .classes(nil), skipsBad: Bool = false
  ) throws -> LabelSet {
    try LabelSet(
      records(labels), tokenizer: Bytes(), task: task,
      options: ExampleOptions(context: 8, skipsBad: skipsBad))
  }

  @Test func classesAreSortedAndNumbered() throws {
    let names = try Self.set([.name("good"), .name("bad"), .name("Bad"), .name("good")])
    #expect(names.classes == ["Bad", "bad", "good"] && names.labels == [2, 1, 0, 2])
    let numbers = try Self.set([.number(10), .number(9), .number(-1.5)])
    #expect(numbers.classes == ["-1.5", "9", "10"] && numbers.labels == [2, 1, 0])
    // Some writers quote numbers.
    let mixed = try Self.set([.number(1), .name("1"), .name("true"), .name("true")])
    #expect(mixed.classes == ["1", "true"] && mixed.labels == [0, 0, 1, 1])
    let given = try Self.set([.name("b"), .number(1)], task: .classes(["1", "a", "b"]))
    #expect(given.labels == [2, 0])
    // A number is the index of a class, unless classes are called by numbers.
    let indices = try Self.set(
      [.number(1), .name("0"), .name("neg")], task: .classes(["neg", "pos"]))
    #expect(indices.labels == [1, 0, 0])
    for (label, classes) in [
      (Label.number(0), ["1", "2"]), (.number(2), ["neg", "pos"]), (.number(0.5), ["neg", "pos"]),
    ] {
      #expect(throws: DatasetError.self) {
        try Self.set([label], task: .classes(classes))
      }
    }
    let values = try Self.set([.number(0.5), .number(-3), .name("1e-3")], task: .values)
    #expect(values.labels == [0.5, -3, 1e-3] && values.classes.isEmpty)
  }

  @Test func invalidLabelsAreRefused() throws {
    let second = RecordPlace(path: "a.jsonl", line: 2)
    let outside = DatasetError.badRecord(.unknownClass("c", classes: ["a", "b"]), at: second)
    #expect(throws: outside) {
      try Self.set([.name("a"), .name("c")], task: .classes(["a", "b"]))
    }
    let kept = try Self.set(
      [.name("a"), .name("c"), .name("b")], task: .classes(["a", "b"]), skipsBad: true)
    #expect(kept.count == 2 && kept.statistics.skipped.first == [outside])
    #expect(throws: DatasetError.badRecord(.notAValue("x"), at: second)) {
      try Self.set([.number(1), .name("x")], task: .values)
    }
    for value in ["1e+39", "-1e+20"] {
      #expect(throws: DatasetError.badRecord(.valueTooLarge(value), at: second)) {
        try Self.set([.number(1), .number(Double(value) ?? 0)], task: .values)
      }
    }
    #expect(throws: DatasetError.oneClass("a")) { try Self.set([.name("a"), .name("a")]) }
    // Of given classes, a label outside them is the first fault.
    #expect(throws: DatasetError.badRecord(.unknownClass("b", classes: ["a"]), at: second)) {
      try Self.set([.name("a"), .name("b")], task: .classes(["a"]))
    }
    for skipsBad in [false, true] {
      #expect(throws: DatasetError.oneClassGiven("a")) {
        try Self.set([.name("a"), .name("a")], task: .classes(["a"]), skipsBad: skipsBad)
      }
    }
    #expect(throws: DatasetError.self) {
      try LabelSet(
        located([.prompt([Message(.user, "q")])]), tokenizer: Bytes(), task: .classes(nil),
        options: ExampleOptions(context: 8))
    }
  }

  @Test func anExampleIsATextWithItsLabel() throws {
    let set = try Self.set([.number(1), .number(2), .number(3)], task: .values)
    let loader = SetEvaluationLoader(set, sequences: 2)
    #expect(loader.batchCount == 2 && loader.range(ofBatch: 1) == 2..<3)
    var batch = Batch()
    loader.fill(&batch, index: 0)
    #expect(batch.inputs == [116, 116, 116] && batch.starts == [0, 1, 1])
    #expect(batch.examples == [0..<1, 1..<3] && batch.labels == [1, 2])
    loader.fill(&batch, index: 1)
    #expect(batch.examples == [0..<3] && batch.labels == [3])
  }

  @Test func everyEpochHasEveryTextOnce() throws {
    let set = try Self.set((0..<12).map { .number(Double($0)) }, task: .values)
    let loader = SetLoader(set, sequences: 3, microBatches: 2, seed: 1)
    var batch = Batch()
    var epochs: [[Float]] = []
    for epoch in 0..<3 {
      var seen: [Float] = []
      for microBatch in 0..<4 {
        loader.fill(&batch, step: epoch * 2 + microBatch / 2, microBatch: microBatch % 2)
        seen += batch.labels
      }
      #expect(seen.sorted() == (0..<12).map { Float($0) })
      epochs.append(seen)
    }
    #expect(epochs[0] != epochs[1] && epochs[1] != epochs[2])
    #expect(loader.epochsSeen(4) == 2)
  }
}
