import Foundation
import RandomNumbers
import Testing

@testable import Datasets

struct ValidationSplitTests {
  @Test func theTailOfALongDocumentBeginsAtALine() throws {
    let split = try ValidationSplit(fraction: 0.1)
    let bytes = Array(lines(1_115_394).utf8)
    let cut = split.trainingByteCount(of: bytes)
    #expect(bytes[cut - 1] == 0x0A)
    #expect(cut >= bytes.count - bytes.count / 10 - 1)
    #expect(cut < bytes.count - bytes.count / 10 + 100)
  }

  @Test func aTailThatBeginsALineIsKeptWhole() throws {
    var bytes = [UInt8](repeating: 0x61, count: 10_000)
    bytes[8_999] = 0x0A
    bytes[9_100] = 0x0A
    #expect(try ValidationSplit(fraction: 0.1).trainingByteCount(of: bytes) == 9_000)
    bytes[8_999] = 0x61
    #expect(try ValidationSplit(fraction: 0.1).trainingByteCount(of: bytes) == 9_101)
  }

  @Test func withoutALineStartTheSplitIsAtAScalar() throws {
    let split = try ValidationSplit(fraction: 0.1)
    for prefix in 0..<4 {
      let text = String(repeating: "x", count: prefix) + String(repeating: "🐦", count: 2_000)
      let bytes = Array(text.utf8)
      let cut = split.trainingByteCount(of: bytes)
      #expect(String(validating: bytes[cut...], as: UTF8.self) != nil)
      #expect(abs(bytes.count - cut - 800) <= 4)
      // A line feed at the very end, as most files have, does not empty the tail.
      #expect(abs(split.trainingByteCount(of: bytes + [0x0A]) - cut) <= 4)
    }
  }

  @Test func shortDocumentsAreAssignedByContent() throws {
    let split = try ValidationSplit(fraction: 0.1)
    var held = 0
    for i in 0..<20_000 {
      let bytes = Array("story \(i)".utf8)
      let cut = split.trainingByteCount(of: bytes)
      #expect(cut == 0 || cut == bytes.count)
      held += cut == 0 ? 1 : 0
    }
    // Binomial: 2000 ± 42; five standard deviations.
    #expect(abs(held - 2_000) < 212, "\(held)")
    let short = Array(lines(4_000).utf8)
    #expect(short.count < ValidationSplit.tailThreshold)
    #expect([0, short.count].contains(split.trainingByteCount(of: short)))
  }

  @Test func sidesMatchTheGoldenValues() throws {
    // Golden values: a change of hash, key or comparison would move texts between the two sides of
    // existing datasets.
    let split = try ValidationSplit(fraction: 0.5)
    let sides = (0..<32).map {
      split.trainingByteCount(of: Array("document \($0)".utf8)) == 0 ? "v" : "t"
    }.joined()
    #expect(sides == "vtttttvtvvvvtvvvvtvtvvvvvtttvtvv")
  }

  /// Both sides have an item of two or more, whatever the fraction, and the same one in any order.
  @Test func fewItemsAreOnBothSides() throws {
    for count in 2...20 {
      let keys = (0..<count).map { Array("record \($0)".utf8) }
      for fraction in [0.0001, 0.1, 0.5, 0.9999] {
        let split = try ValidationSplit(fraction: fraction)
        let sides = split.heldOut(keys)
        #expect(sides.contains(true) && sides.contains(false), "\(count) \(fraction)")
        #expect(split.heldOut(keys.reversed()) == sides.reversed())
      }
      #expect(try !ValidationSplit(fraction: 0).heldOut(keys).contains(true))
    }
    // Equal items stay together.
    let split = try ValidationSplit(fraction: 0.1)
    #expect(Set(split.heldOut([[1], [1], [1]])).count == 1)
  }

  @Test func aLargerFractionContainsASmallerOne() throws {
    let small = try ValidationSplit(fraction: 0.1)
    let large = try ValidationSplit(fraction: 0.3)
    for i in 0..<2_000 {
      let bytes = Array("story \(i)".utf8)
      if small.trainingByteCount(of: bytes) == 0 {
        #expect(large.trainingByteCount(of: bytes) == 0)
      }
    }
  }

  @Test func aFractionOfZeroHoldsNothingOut() throws {
    let split = try ValidationSplit(fraction: 0)
    for text in ["a", "", lines(4_096), lines(50_000)] {
      #expect(split.trainingByteCount(of: Array(text.utf8)) == text.utf8.count)
    }
  }

  @Test(arguments: [-0.1, 1, 2, .infinity])
  func impossibleFractionsAreRefused(fraction: Double) {
    #expect(throws: DatasetError.invalidFraction(fraction)) {
      try ValidationSplit(fraction: fraction)
    }
    #expect(throws: DatasetError.self) { try ValidationSplit(fraction: .nan) }
  }
}
