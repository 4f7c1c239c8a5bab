import Foundation
import Tokenizers

/// Judgements made elsewhere, a JSON object a line.
///
///     {"pair":"0f3c…","annotator":"anna","answer":"left","note":"kinder"}
///
/// - `pair` is an id, and `answer` one of `left`, `right`, `first`, `second`, `tie`, `bothBad` and
///   `skip`: of the sides on which the pair is shown to this annotator, or of the order in which it is
///   kept; ``PairListing`` tells both.
/// - `note`, if it is there, is kept with the answer.
public struct AnswerFile: Sendable {
  /// The judgements, in the order of the file, without those that are kept already.
  public private(set) var judgements: [Judgement] = []
  /// How many lines say what is kept already.
  public private(set) var known = 0
  /// What is wrong with each line that cannot be used, in a sentence that begins with its place.
  public private(set) var faults: [String] = []

  private struct Key: Hashable { let annotator, pair: String }

  /// Reads the file at `path`, whose judgements are of pairs in `store`.
  ///
  /// - Throws: ``AnnotationError``, of a file that cannot be read; a bad line is a fault.
  public init(path: String, for store: JudgementStore) throws {
    let bytes: [UInt8]
    do {
      bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw AnnotationError.unreadable(path: path)
    }
    var numbers: [String: Int] = [:]
    for pair in try store.pairs() { numbers[pair.id] = pair.number }
    var verdicts: [Key: Verdict] = [:]
    for kept in try store.judgements() {
      verdicts[Key(annotator: kept.annotator, pair: kept.pair)] = kept.verdict
    }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
      do throws(Fault) {
        let line = try Line(Array(line))
        guard let number = numbers[line.pair] else {
          throw Fault("is of the pair \"\(line.pair)\", which is not in \(store.path)")
        }
        let left = Presentation(seed: store.seed, annotator: line.annotator).left(ofPair: number)
        let judgement = line.judgement(left: left)
        let key = Key(annotator: judgement.annotator, pair: judgement.pair)
        switch verdicts[key] {
        case nil:
          verdicts[key] = judgement.verdict
          judgements.append(judgement)
        case judgement.verdict: known += 1
        case .some(let verdict):
          throw Fault(
            "has the answer \(judgement.verdict.rawValue) of \(judgement.annotator) on the pair "
              + "\(judgement.pair), who has answered \(verdict.rawValue)")
        }
      } catch {
        faults.append("\(path):\(index + 1) \(error.text)")
      }
    }
  }

  private struct Fault: Error {
    let text: String
    init(_ text: String) { self.text = text }
  }

  /// What a line says.
  private struct Line {
    let pair: String
    let annotator: String
    let answer: String
    var note: String?

    private static let fields = ["pair", "annotator", "answer", "note"]
    private static let answers = ["left", "right"] + Verdict.allCases.map(\.rawValue)

    init(_ bytes: [UInt8]) throws(Fault) {
      let object: JSONElement
      do { object = try JSONReader.read(bytes) } catch {
        throw Fault("is not a JSON object (\(error.reason))")
      }
      guard let members = object.members else { throw Fault("is not a JSON object") }
      if let stranger = members.first(where: { !Self.fields.contains($0.key) }) {
        let known = Self.fields.joined(separator: ", ")
        throw Fault("has the field \"\(stranger.key)\"; known are \(known)")
      }
      func text(_ field: String) throws(Fault) -> String? {
        guard let value = object[field], !value.isNull else { return nil }
        guard let text = value.string else {
          throw Fault("has a field \"\(field)\" that is not a text")
        }
        return text
      }
      func required(_ field: String) throws(Fault) -> String {
        guard let text = try text(field) else { throw Fault("has no field \"\(field)\"") }
        return text
      }
      pair = try required("pair")
      annotator = try required("annotator")
      answer = try required("answer")
      note = try text("note")
      do { try AnnotatorName.check(annotator) } catch {
        throw Fault("has a name of which \(error)")
      }
      guard Self.answers.contains(answer) else {
        let known = Self.answers.joined(separator: ", ")
        throw Fault("has the answer \"\(answer)\"; known are \(known)")
      }
    }

    /// The judgement, of an annotator who is shown the answer at `left` on the left.
    func judgement(left: Place) -> Judgement {
      let side: Place? =
        switch answer {
        case "left": left
        case "right": left.other
        default: nil
        }
      return Judgement(
        pair: pair, annotator: annotator,
        verdict: side.map(Verdict.init(better:)) ?? Verdict(rawValue: answer) ?? .skip,
        left: side == nil ? nil : left, note: note)
    }
  }
}
