import Files
import Foundation
import Monitoring

/// The answer to an `AdviceQuestion`: the rule for its number of examples, with the largest model that
/// fits the deadline and the memory.
package struct Recommendation: Sendable {
  package let question: AdviceQuestion
  package let rule: AdviceRule
  /// The starting point: that of the rule, or a model as it is where no training fits.
  package let start: AdviceRule.Start
  package let model: CandidateModel
  /// The predicted seconds of training; 0 without.
  package let seconds: Double
  /// The reasons for the answer, a sentence each.
  package let reasons: [String]

  /// A prediction from FLOPs may be wrong by this factor either way.
  package static let uncertainty = 2.0

  package init(for question: AdviceQuestion) {
    self.question = question
    let rule =
      AdviceRule.all.first {
        $0.objective == question.objective && $0.examples.contains(question.examples)
      } ?? AdviceRule.all[0]
    self.rule = rule
    let sizes = CandidateModel.all.filter { $0.family == rule.family }
    let useful = sizes.filter { $0.parameters <= rule.largest }
    let fitting = useful.filter {
      Self.bytes(of: $0, rule.start) <= Double(question.memory)
        && Self.seconds(of: $0, rule, question) * Self.uncertainty <= question.deadline ?? .infinity
    }
    var reasons = ["\(rule.reason) (\(rule.source))"]
    let best = fitting.last ?? useful.first ?? sizes[0]
    model = best
    if fitting.isEmpty && rule.start != .asItIs {
      (start, seconds) = (.asItIs, 0)
      reasons.append(
        "even \(best.names) would need about "
          + "\(Durations.text(Self.seconds(of: best, rule, question))) and "
          + "\(Int(Self.bytes(of: best, rule.start) / 0x1p20)) MiB here: allow more time, take more "
          + "hosts, or use a model as it is")
    } else {
      (start, seconds) = (rule.start, Self.seconds(of: best, rule, question))
      if let larger = useful.first(where: { $0.parameters > best.parameters }) {
        reasons.append(
          "\(larger.names) would need about "
            + "\(Durations.text(Self.seconds(of: larger, rule, question))) and "
            + "\(Int(Self.bytes(of: larger, rule.start) / 0x1p20)) MiB, too much for the "
            + (Self.bytes(of: larger, rule.start) > Double(question.memory)
              ? "memory" : "time, as a prediction may be wrong by a factor of two"))
      } else if rule.start != .asItIs,
        let beyond = sizes.first(where: { $0.parameters > rule.largest })
      {
        reasons.append("models such as \(beyond.names) are too large for so few examples")
      }
    }
    reasons.append(Self.aboutScratch(best, question))
    self.reasons = reasons
  }

  /// The judgement whether the examples suffice for a model from random weights.
  private static func aboutScratch(_ model: CandidateModel, _ question: AdviceQuestion) -> String {
    let needed = AdviceRule.tokensPerParameter * Double(model.parameters)
    let has = question.tokens * AdviceRule.repetitions
    let sizes =
      "a model of its size needs about \(Energy.threeDigits(needed / 1e6)) million tokens from "
      + "scratch, and \(Energy.threeDigits(question.tokens / 1e6)) million, read four times, are "
    return has < needed
      ? "training from scratch is out of the question: \(sizes)too few (Hoffmann et al. 2022; "
        + "Muennighoff et al. 2023)"
      : "training from scratch would be possible: \(sizes)enough (Hoffmann et al. 2022; Muennighoff et "
        + "al. 2023); it pays only where no published model knows the language or notation"
  }

  /// The seconds of training `model` as `rule` says: 6 FLOPs per parameter and token, with frozen
  /// weights 4.
  static func seconds(
    of model: CandidateModel, _ rule: AdviceRule, _ question: AdviceQuestion
  ) -> Double {
    let perToken = rule.start == .adapt ? 4.0 : rule.start == .asItIs ? 0 : 6
    return perToken * Double(model.parameters) * question.tokens * Double(rule.epochs)
      / question.flopsPerSecond
  }

  /// The bytes of weights, gradient and two moments; of the weights alone where they are frozen.
  static func bytes(of model: CandidateModel, _ start: AdviceRule.Start) -> Double {
    (start == .adapt || start == .asItIs ? 6.0 : 18) * Double(model.parameters)
  }
}

extension Recommendation {
  /// The facts that only a trial shows.
  static let caveat =
    "The bounds are orders of magnitude from published experiments on other data. Hold out a hundred "
    + "examples or more, measure the model as it is first (apus evaluate), and keep what is better. "
    + "The time is that of the FLOPs at 60 % of the measured peak, right within a factor of two."

  /// The command to run.
  private var command: String {
    start == rule.start ? rule.command : "apus generate or apus embed with a published model"
  }

  /// The answer in lines of at most 100 columns.
  package var text: String {
    let time = seconds > 0 ? "≈ \(Durations.text(seconds))" : "none"
    let facts =
      [
        ("recommended", "\(start.rawValue): \(model.family.rawValue)"),
        (
          "size",
          "\(Energy.threeDigits(Double(model.parameters) / 1e6)) million parameters, such as "
            + model.names
        ),
        ("command", command),
        ("training", time),
      ] + reasons.enumerated().map { ($0.offset == 0 ? "because" : "", $0.element) }
      + [("uncertain", Self.caveat)]
    return facts.flatMap { name, sentence in
      sentence.wrapped(to: 86).enumerated().map {
        (($0.offset == 0 ? name : "").padded(to: 14) + $0.element).trimmingTrailingSpaces
      }
    }.joined(separator: "\n")
  }

  /// The answer as JSON.
  package var json: JSONValue {
    .object([
      ("objective", .string(question.objective.rawValue)),
      ("examples", .integer(question.examples)),
      ("tokensPerExample", .integer(question.tokensPerExample)),
      ("start", .string("\(start)")), ("family", .string("\(model.family)")),
      ("parameters", .integer(model.parameters)), ("models", .string(model.names)),
      ("command", .string(command)), ("seconds", .number(seconds)),
      ("reasons", .array(reasons.map { .string($0) })), ("source", .string(rule.source)),
      ("caveat", .string(Self.caveat)),
    ])
  }
}
