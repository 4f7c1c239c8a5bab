import Testing

@testable import Jinja

/// Characters keep their origin through every operation of a template.
struct ProvenanceTests {
  /// Returns the rendered text with pieces of origin 1 in ⟨⟩, pieces of origin 2 in ⟪⟫, and `*`
  /// before generated pieces.
  private func marked(_ template: String) throws -> String {
    try Template(template).render([
      ("a", .text(" It's <b>\n", Origin(1))), ("b", .text("x.y", Origin(2))),
      ("l", .list([.text("p", Origin(1)), .text("q", Origin(2))])),
    ]).pieces.map { piece in
      let marks = ["", "⟨", "⟪"][Int(piece.origin.number)]
      let ends = ["", "⟩", "⟫"][Int(piece.origin.number)]
      return (piece.isGenerated ? "*" : "") + marks + piece.text + ends
    }.joined()
  }

  @Test(
    arguments: [
      ("[{{ a }}]", "[⟨ It's <b>\n⟩]"),
      ("{{ a | trim }}{{ b }}", "⟨It's <b>⟩⟪x.y⟫"),
      ("{{ 'x' + b ~ a.strip() }}", "x⟪x.y⟫⟨It's <b>⟩"),
      ("{{ b | upper }}{{ b.title() }}{{ b | capitalize }}", "⟪X.YX.YX.y⟫"),
      ("{{ b | replace('.', '-') }}", "⟪x⟫-⟪y⟫"),
      ("{{ 'a-b'.replace('-', b) }}", "a⟪x.y⟫b"),
      ("{{ a | tojson }}", "\"⟨ It's <b>\\n⟩\""),
      ("{{ l }}", "['⟨p⟩', '⟪q⟫']"),
      ("{{ l | tojson }}", "[\"⟨p⟩\", \"⟪q⟫\"]"),
      ("{{ l | join(', ') }}{{ b.join(l) }}", "⟨p⟩, ⟪q⟫⟨p⟩⟪x.yq⟫"),
      ("{{ b.split('.')[1] }}{{ b[0] }}{{ b[::-1] }}", "⟪yxy.x⟫"),
      ("{% for c in b %}{{ c }}|{% endfor %}", "⟪x⟫|⟪.⟫|⟪y⟫|"),
      ("{% set c %}({{ b }}){% endset %}{{ c * 2 }}", "(⟪x.y⟫)(⟪x.y⟫)"),
      ("{% macro m(v) %}<{{ v }}>{% endmacro %}{{ m(b) }}", "<⟪x.y⟫>"),
      ("{{ '%s!' % b }}{{ '{}?'.format(b) }}", "⟪x.y⟫!⟪x.y⟫?"),
      ("{{ 'a\nb' | indent(b) }}", "a\n⟪x.y⟫b"),
      ("{{ l | map('upper') | list | first }}{{ l | last }}", "⟨P⟩⟪q⟫"),
      ("{{ (a | escape)[:1] if false else b | escape }}", "⟪x.y⟫"),
      ("{{ a | trim | e }}", "⟨It&#39;s &lt;b&gt;⟩"),
      ("a{% generation %}b{{ b }}{% endgeneration %}c", "a*b*⟪x.y⟫c"),
      (
        "{% set g %}{% generation %}{{ b }}{% endgeneration %}.{% endset %}{{ g | upper }}",
        "*⟪X.Y⟫."
      ),
    ])
  func charactersKeepTheirOrigin(template: String, expected: String) throws {
    #expect(try marked(template) == expected)
  }
}
