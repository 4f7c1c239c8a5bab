import Foundation
import Testing
import Tokenizers

@testable import Datasets

/// Published data sets in the folder APUS_MATERIAL: the number of their usable records, and the defects
/// of the others.
struct PublishedRecordTests {
  static let material: String? = {
    let folder = ProcessInfo.processInfo.environment["APUS_MATERIAL"] ?? ""
    if folder.isEmpty { print("SKIPPED: published records, because APUS_MATERIAL is not set") }
    return folder.isEmpty ? nil : folder
  }()

  private func read(
    _ name: String
  ) throws -> (kinds: [String: Int], defects: [RecordDefect], first: Record?) {
    let path = try #require(Self.material) + "/" + name
    var reader = RecordReader([try SourceFile(path, of: .records)])
    var kinds: [String: Int] = [:]
    var defects: [RecordDefect] = []
    var first: Record?
    while true {
      do throws(DatasetError) {
        guard let record = try reader.next() else { break }
        first = first ?? record.record
        kinds[record.record.kind, default: 0] += 1
      } catch {
        guard case .badRecord(let defect, _) = error else { throw error }
        defects.append(defect)
      }
    }
    return (kinds, defects, first)
  }

  @Test(
    .enabled(if: material != nil, "APUS_MATERIAL is not set"),
    arguments: [
      ("gsm8k_train.jsonl", 7_473), ("rasbt_instruction-data.json", 1_100),
      ("dolly_hhrlhf_train_small.jsonl", 1_000),
    ])
  func instructionRecordsAreAllRead(name: String, count: Int) throws {
    let (kinds, defects, _) = try read("instruct/\(name)")
    #expect(kinds == ["a conversation": count] && defects.isEmpty)
  }

  @Test(.enabled(if: material != nil, "APUS_MATERIAL is not set"))
  func preferenceRecordsAreRead() throws {
    let harmless = try read("preference/hh-rlhf_harmless-base_test.jsonl.gz")
    // Nine of them have two answers in a row.
    #expect(harmless.kinds == ["a preference pair": 2_308])
    #expect(harmless.defects.count { $0 == .emptyAnswer } == 4)
    guard case .pair(let pair) = harmless.first else {
      Issue.record("\(String(describing: harmless.first))")
      return
    }
    #expect(pair.prompt.messages.map(\.role) == [.user, .assistant, .user, .assistant, .user])
    #expect(pair.chosen.count == 1 && pair.rejected.count == 1)
    #expect(pair.prompt.messages[0].content == "what are some pranks with a pen i can do?")

    let instructions = try read("preference/rasbt_instruction-data-with-preference.json")
    #expect(instructions.kinds == ["a preference pair": 1_094])
    #expect(instructions.defects == [RecordDefect](repeating: .equalSides, count: 6))
  }

  @Test(.enabled(if: material != nil, "APUS_MATERIAL is not set"))
  func aTableOfAnUnknownFormatIsReported() throws {
    let (kinds, defects, _) = try read("eval/crows_pairs_anonymized.csv")
    #expect(kinds.isEmpty && defects.count == 1_508)
    let fields = [
      "", "sent_more", "sent_less", "stereo_antistereo", "bias_type", "annotations", "anon_writer",
      "anon_annotators",
    ]
    #expect(defects.allSatisfy { $0 == .unknownForm(fields: fields) })
  }
}
