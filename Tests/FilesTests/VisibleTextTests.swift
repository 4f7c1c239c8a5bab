import Files
import Testing

@Suite struct VisibleTextTests {
  @Test func everyControlGetsASign() {
    #expect("\u{1B}[2J\u{7}\u{8}\0\r\u{7F}".visible() == "␛[2J␇␈␀␍␡")
    #expect("a\u{9B}2J\u{85}\u{202E}b\u{2066}".visible() == "a␦2J␦␦b␦")
    #expect("one\r\ntwo\tthree".visible() == "one␍ two three")
    #expect("one\r\ntwo\tthree\u{1B}".visible(keepsLines: true) == "one␍\ntwo\tthree␛")
  }

  @Test func exactlyControlsAreChanged() {
    let changed = (0...0x10FFFF).compactMap { Unicode.Scalar(UInt32($0)) }
      .filter { String($0).visible() != String($0) }.map(\.value)
    let controls = [UInt32](0..<0x20) + Array(0x7F..<0xA0)
    #expect(changed == controls + Array(0x202A...0x202E) + Array(0x2066...0x2069))
    // Right-to-left text and joined emoji stay as they are.
    for text in ["שלום\u{200F}", "👩\u{200D}🚀", "雨燕 é"] { #expect(text.visible() == text) }
  }
}
