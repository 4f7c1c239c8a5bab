import Foundation
import Testing

@testable import Files

@Suite struct JSONValueTests {
  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func compactAndIndentedTextsMatch() {
    let value = JSONValue.object([
      ("b", .array([.integer(-1), .null, .bool(true)])), ("a", .object([])), ("c", .array([])),
    ])
    #expect(text(value.compact) == #"{"b":[-1,null,true],"a":{},"c":[]}"#)
    #expect(
      text(value.indented) == """
        {
          "b": [
            -1,
            null,
            true
          ],
          "a": {},
          "c": []
        }
        """)
  }

  @Test func stringsReadBackUnchangedFromOneLine() throws {
    for text in ["", "\"\\/", "\n\r\t\u{0}\u{1F}\u{7F}\u{85}", "é漢🐦\u{2028}\u{2029}"] {
      let value = JSONValue.array([.string(text)])
      let line = self.text(value.line)
      #expect(line.split(whereSeparator: \.isNewline).count == 1)
      #expect(try JSONDecoder().decode([String].self, from: Data(line.utf8)) == [text])
      #expect(try JSONReader.read(value.compact).array?[0].string == text)
    }
    // Only lines escape what JSON lets stand.
    #expect(text(JSONValue.string("\u{1F}\u{7F}\u{2028}").compact) == "\"\\u001f\u{7F}\u{2028}\"")
  }

  @Test func numbersReadBackBitForBit() throws {
    let numbers = [
      0.1, 1.0 / 3, Double.leastNonzeroMagnitude, 1.7976931348623157e308, -0.0, 1e-5, 1e16,
      123456789.125,
      Double(Float(0.1)),
    ]
    for number in numbers {
      let line = text(JSONValue.array([.number(number)]).compact)
      let read = try JSONDecoder().decode([Double].self, from: Data(line.utf8))
      #expect(read[0].bitPattern == number.bitPattern, "\(line)")
    }
    for number in [Double.nan, .infinity, -.infinity] {
      #expect(text(JSONValue.number(number).compact) == "null")
    }
  }
}
