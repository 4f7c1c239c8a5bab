import Testing

@testable import Jinja

/// Mutated templates either render or throw a `TemplateError`.
struct FuzzTests {
  private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private static let fragments = [
    "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", "(", ")", "[", "]", "{", "}", "'", "\"", "\\",
    "\n",
    " ", "|", ".", ",", ":", "~", "*", "**", "//", "%", "==", "<", " in ", " not ", " is ", " if ",
    " else ", "{% if x %}", "{% endif %}", "{% for i in messages %}", "{% endfor %}",
    "{% set x = 1 %}",
    "{% macro m(a) %}", "{% endmacro %}", "{{ m(x) }}", "loop.index", "namespace(a=1)",
    "range(9999)",
    "-9223372036854775808", "9223372036854775807", "1e308", "0", "none", "undefinedname",
    "| tojson",
    "| list", "| join('x')", "| map('upper')", "| sort", "[::-1]", "[1:]", "* 99999", ".split('x')",
    ".replace('', 's')", "| batch(3)", "| indent(9)", "{% raw %}", "{% endraw %}", "é",
    "👩\u{200D}👧",
    "\u{0}", "{% generation %}", "{% endgeneration %}", "{% break %}", "*args", "**kwargs",
    "caller()",
  ]

  @Test func mutatedTemplatesNeverCrash() throws {
    let sources = try SnippetTests.snippets().map { Array($0.template.unicodeScalars) }
    var random = SplitMix64(state: 7)
    var rendered = 0
    for _ in 0..<10_000 {
      var source = sources.randomElement(using: &random) ?? []
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = Int.random(in: 0...source.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
          let fragment = Self.fragments.randomElement(using: &random) ?? ""
          source.insert(contentsOf: fragment.unicodeScalars, at: place)
        case 1:
          let end = min(source.count, place + Int.random(in: 1...8, using: &random))
          source.removeSubrange(place..<end)
        case 2:
          let other = sources.randomElement(using: &random) ?? []
          let start = Int.random(in: 0...other.count, using: &random)
          let end = min(other.count, start + Int.random(in: 0...30, using: &random))
          source.insert(contentsOf: other[start..<end], at: place)
        default:
          let end = min(source.count, place + Int.random(in: 1...20, using: &random))
          let part = Array(source[place..<end])
          source.insert(contentsOf: part, at: place)
        }
      }
      var text = String.UnicodeScalarView()
      text.append(contentsOf: source)
      let outcome = Result {
        try Template(String(text)).render(
          SnippetTests.variables, limits: RenderingLimits(steps: 20_000, characters: 100_000))
      }
      switch outcome {
      case .success: rendered += 1
      case .failure(let error):
        let sentence = (error as? TemplateError)?.description ?? ""
        #expect(sentence.contains("chat template"), "\(String(text)): \(error)")
      }
    }
    // Enough mutated templates are valid for the renderer to be tested as well.
    #expect(rendered > 1_000)
  }
}
