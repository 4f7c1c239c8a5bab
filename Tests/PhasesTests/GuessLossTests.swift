import Glibc
import Testing
import Tokenizers

@testable import Datasets
@testable import Phases

/// The loss of a guess without the input, which tells a diverged run.
@Suite struct GuessLossTests {
  private func set(_ labels: [Label], _ task: LabelSet.Task) throws -> LabelSet {
    try LabelSet(
      labels.enumerated().map {
        LocatedRecord(
          .labelled(text: "text", label: $1), at: RecordPlace(path: "a", line: $0 + 1))
      },
      tokenizer: ByteTokenizer(), task: task, options: ExampleOptions(context: 8))
  }

  @Test func aGuessAmongClassesIsUniform() throws {
    let set = try set([.name("a"), .name("b"), .name("c"), .name("a")], .classes(nil))
    #expect(set.guessLoss == log(3))
  }

  @Test func aGuessOfAValueIsZero() throws {
    #expect(try set([.number(1), .number(-3)], .values).guessLoss == 5)
  }
}
