import Files
import Foundation

/// Judgements made outside this program, one JSON object per line.
///
///     {"pair":"0f3c…","annotator":"anna","answer":"left","note":"kinder"}
///
/// - `pair` is an id, and `answer` one of `left`, `right`, `first`, `second`, `tie`, `bothBad` and
///   `skip`. `left` and `right` are the sides on which the pair is shown to this annotator, `first` and
///   `second` its storage order; ``PairListing`` lists both.
/// - `note` is optional and is stored with the answer.
package struct AnswerFile: Sendable {
  /// The judgements, in the order of the file, without those that the store already has.
  package private(set) var judgements: [Judgement] = []
  /// The number of lines whose judgement the store already has.
  package private(set) var known = 0
  /// The defect of each unusable line, in a sentence that begins with its place.
  package private(set) var faults: [String] = []

  private struct Key: Hashable { let annotator, pair: String }

  /// Reads the file at `path`, with judgements of pairs in `store`.
  ///
  /// - Throws: ``AnnotationError`` when the file cannot be read; a bad line becomes a fault.
  package init(path: String, for store: JudgementStore) throws {
    let bytes: [UInt8]
    do {
      bytes = try InputFile.contents(of: path)
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
          throw Fault("judges the pair \"\(line.pair)\", which is not in \(store.path)")
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
              + "\(judgement.pair), whose earlier answer is \(verdict.rawValue)")
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

  /// The fields of a line.
  private struct Line {
    let pair: String
    let annotator: String
    let answer: String
    var note: String?

    private static let fields = ["pair", "annotator", "answer", "note"]
    private static let answers = ["left", "right"] + Verdict.allCases.map(\.rawValue)

    init(_ bytes: [UInt8]) throws(Fault) {
      let object: JSONValue
      do { object = try JSONReader.read(bytes) } catch {
        throw Fault("is not a JSON object (\(error.reason))")
      }
      guard let members = object.members else { throw Fault("is not a JSON object") }
      if let extra = members.first(where: { !Self.fields.contains($0.key) }) {
        let known = Self.fields.joined(separator: ", ")
        throw Fault("has the unknown field \"\(extra.key)\"; use \(known)")
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
        throw Fault("has an invalid annotator: \(error)")
      }
      guard Self.answers.contains(answer) else {
        let known = Self.answers.joined(separator: ", ")
        throw Fault("has the unknown answer \"\(answer)\"; use \(known)")
      }
    }

    /// Returns the judgement, given that the annotator sees the answer at `left` on the left.
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
