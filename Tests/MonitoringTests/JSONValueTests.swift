import Foundation
import Testing

@testable import Monitoring

@Suite struct JSONValueTests {
  @Test func compactAndIndentedTextsMatch() {
    let value = JSONValue.object([
      JSONMember("b", .array([.integer(-1), .null, .boolean(true)])), JSONMember("a", .object([])),
      JSONMember("c", .array([])),
    ])
    #expect(value.compact == #"{"b":[-1,null,true],"a":{},"c":[]}"#)
    #expect(
      value.indented == """
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
      let line = JSONValue.array([.string(text)]).compact
      #expect(line.split(whereSeparator: \.isNewline).count == 1)
      #expect(try JSONDecoder().decode([String].self, from: Data(line.utf8)) == [text])
    }
  }

  @Test func numbersReadBackBitForBit() throws {
    let numbers = [
      0.1, 1.0 / 3, Double.leastNonzeroMagnitude, 1.7976931348623157e308, -0.0, 1e-5, 1e16,
      123456789.125,
      Double(Float(0.1)),
    ]
    for number in numbers {
      let line = JSONValue.array([.number(number)]).compact
      let read = try JSONDecoder().decode([Double].self, from: Data(line.utf8))
      #expect(read[0].bitPattern == number.bitPattern, "\(line)")
    }
    for number in [Double.nan, .infinity, -.infinity] {
      #expect(JSONValue.number(number).compact == "null")
    }
  }
}
