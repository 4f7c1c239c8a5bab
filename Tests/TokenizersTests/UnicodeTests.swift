import Files
import Testing

@testable import Tokenizers

@Suite struct UnicodeTests {
  private static func normalized(_ text: String, _ form: UnicodeNormalization.Form) -> [UInt32] {
    UnicodeNormalization.normalize(Array(text.utf8), to: form).map(\.scalar)
  }

  @Test(
    arguments: [
      ("é", .nfd, [0x65, 0x301]), ("e\u{301}", .nfc, [0xE9]),
      ("한", .nfd, [0x1112, 0x1161, 0x11AB]),
      ("\u{1112}\u{1161}\u{11AB}", .nfc, [0xD55C]), ("ﬁ", .nfkc, [0x66, 0x69]),
      ("ﬁ", .nfc, [0xFB01]),
      ("a\u{301}\u{323}", .nfd, [0x61, 0x323, 0x301]), ("a\u{301}\u{323}", .nfc, [0x1EA1, 0x301]),
      ("①", .nfkd, [0x31]), ("\u{958}", .nfc, [0x915, 0x93C]),
      // Decomposed since Unicode 12.1 and 13, which the tables of the Rust crate predate.
      ("\u{32FF}", .nfkc, [0x32FF]), ("\u{11938}", .nfd, [0x11938]),
    ] as [(String, UnicodeNormalization.Form, [UInt32])])
  func textHasNormalForm(_ text: String, _ form: UnicodeNormalization.Form, _ expected: [UInt32]) {
    #expect(Self.normalized(text, form) == expected)
  }

  @Test func changesCountTheReplacedSourceScalars() {
    let changes = UnicodeNormalization.normalize(Array("e\u{301}éﬁ".utf8), to: .nfkc)
    #expect(changes.map(\.change) == [-1, 0, 0, 1])
  }

  /// `unicode.json` is what the crate does to each scalar, measured by `unicode_tables.py`.
  private static func table(_ name: String) throws -> String {
    try #require(try JSONReader.read(Goldens.bytes("unicode.json"))[name]?.string)
  }

  @Test(
    arguments: [
      ("control", 137_681), ("chinese", 81_264), ("nonspacing", 1_567), ("marks", 2_097),
      ("punctuation", 694), ("word", 144_667), ("numeric", 1_924),
    ] as [(String, Int)])
  func scalarSetEqualsThatOfTheCrate(_ name: String, _ count: Int) throws {
    let sets: [String: ScalarSet] = [
      "control": .control, "chinese": .chinese, "nonspacing": .nonspacing, "marks": .marks,
      "punctuation": .punctuation, "word": .word, "numeric": .numeric,
    ]
    let set = try #require(sets[name])
    var numbers = TableNumbers(try Self.table(name))
    var members: Set<UInt32> = []
    var start: UInt32 = 0
    while let gap = numbers.next(), let count = numbers.next() {
      start += UInt32(gap)
      members.formUnion(start..<start + UInt32(count))
      start += UInt32(count)
    }
    // Punctuation of ASCII is known without the set.
    if name == "punctuation" { members.subtract(0..<0x80) }
    let others = (UInt32(0)..<0x110000).filter { name != "punctuation" || $0 >= 0x80 }
    #expect(members.count == count)
    #expect(others.filter { set.contains($0) != members.contains($0) } == [])
    #expect(!set.contains(UInt32.max))
  }

  @Test(arguments: ["lowercase", "combiningClasses"])
  func scalarMapEqualsThatOfTheCrate(_ name: String) throws {
    let map = name == "lowercase" ? ScalarMap.lowercase : .combiningClasses
    let entries = ScalarMap.entries(of: try Self.table(name)).map {
      (UInt32($0.scalar), $0.sequence)
    }
    let expected = Dictionary(uniqueKeysWithValues: entries)
    let different = (UInt32(0)..<0x110000).filter { map[$0].map(Array.init) != expected[$0] }
    // U+0344 has a class, and is always decomposed.
    #expect(different == (name == "lowercase" ? [] : [0x344]))
  }

  @Test func compositesEqualThoseOfTheCrate() throws {
    let entries = ScalarMap.entries(of: try Self.table("compositions"))
    #expect(entries.count == 940)
    for (composite, parts) in entries {
      #expect(Compositions.all.composite(of: parts[0], parts[1]) == UInt32(composite))
    }
    let pairs = Set(entries.map(\.sequence))
    for (_, parts) in ScalarMap.entries(of: UnicodeTables.canonical)
    where parts.count == 2 && !pairs.contains(parts) {
      #expect(Compositions.all.composite(of: parts[0], parts[1]) == nil)
    }
  }

  @Test func base64RoundTripsAndRefusesMalformedText() {
    for text in ["", "a", "ab", "abc", "abcd", "\u{FF}\u{0}\u{10FFFF}"] {
      let bytes = Array(text.utf8)
      #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
    }
    for text in ["a", "ab=c", "a===", "a b=", "é==="] { #expect(Base64.decode(text.utf8) == nil) }
  }

  /// Origins equal those of the crate's `NormalizedString`.
  @Test func originsFollowNormalizationAndSlicing() {
    var text = NormalizedText(Array("xÉ ﬁ".utf8), offset: 10, tracked: true)
    UnicodeFormNormalizer(form: .nfkd).normalize(&text)
    LowercaseNormalizer().normalize(&text)
    text.prepend(Array("▁".utf8))
    #expect(String(decoding: text.bytes, as: UTF8.self) == "▁xe\u{301} fi")
    #expect(text.origin(of: 0..<3) == 10..<11)
    #expect(text.origin(of: 4..<5) == 11..<13)
    #expect(text.origin(of: 5..<7) == 11..<13)
    #expect(text.origin(of: 8..<9) == 14..<17)
    text.replace([3..<5], with: [0x23])
    #expect(text.origin(of: 3..<4) == 11..<13)
    #expect(text.slice(4..<7).origin(of: 2..<3) == 13..<14)
  }
}
