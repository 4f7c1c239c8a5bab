import ArgumentParser
import Aviary
import Files
import Foundation

extension AviaryCommand {
  /// `apus data aviary judge`: judgements of pairs of stories by simulated annotators.
  struct Judge: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Judge pairs of stories by simulated annotators, who mostly prefer kind endings.",
      discussion: """
        apus annotate pairs judgements.sqlite > pairs.jsonl
        apus data aviary judge pairs.jsonl --output answers.jsonl
        apus annotate judgements.sqlite --answers answers.jsonl
        """)

    private struct Pair: Decodable {
      let pair, first, second: String
    }

    private struct Line: Encodable {
      let pair, annotator, answer: String
    }

    @Argument(help: "File of pairs: JSON lines with pair, first and second.")
    var pairs: String

    @Option(help: "Name of a simulated annotator. Repeatable.")
    var annotator = ["anna", "ben"]

    @Option(help: "Seed of the annotators.")
    var seed: UInt64 = 1

    @Option(help: "File to write: JSON lines with pair, annotator and answer.")
    var output: String

    var inputs: [String] { [pairs] }
    var outputs: [String] { [output] }

    func run() throws {
      let data = Data(try Failure.contents(of: pairs))
      let decoder = JSONDecoder()
      let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      let read: [Pair] = try lines.enumerated().filter { !$0.element.isEmpty }.map {
        guard let pair = try? decoder.decode(Pair.self, from: $0.element) else {
          throw Failure.Refusal(
            "\(pairs):\($0.offset + 1) lacks a text under pair, first or second: give the output "
              + "of apus annotate pairs.")
        }
        return pair
      }
      let answers = annotator.flatMap { name in
        let annotator = Annotator(name, seed: seed)
        return read.map {
          Line(
            pair: $0.pair, annotator: name,
            answer: annotator.answer(on: $0.pair, first: $0.first, second: $0.second).rawValue)
        }
      }
      try AviaryCommand.write(answers, to: output)
      try StandardOutput.print(
        "\(output): \(answers.count, "answer") on \(read.count, "pair")")
    }
  }
}
