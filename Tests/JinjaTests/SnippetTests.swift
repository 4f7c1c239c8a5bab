import Foundation
import Testing

@testable import Jinja

/// Compares the template language with transformers' environment; see Goldens/snippets.py.
struct SnippetTests {
  struct Snippet: Decodable, Sendable {
    let template: String
    let text: String?
  }

  static func snippets() throws -> [Snippet] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let file = folder.appendingPathComponent("Goldens/snippets.json")
    return try JSONDecoder().decode([Snippet].self, from: Data(contentsOf: file))
  }

  static func text(_ string: String) -> TemplateInput { .text(string, Origin(1)) }

  /// The variables of Goldens/snippets.py.
  static let variables: [(name: String, value: TemplateInput)] = [
    (
      "messages",
      .list(
        [
          ("system", "Sys <b>"), ("user", " Hi there, Björn's \"x\" "),
          ("assistant", "Yo\n\nß ΑΣ"),
        ].map { .dictionary([("role", text($0.0)), ("content", text($0.1))]) })
    ),
    ("n", .none), ("t", .bool(true)), ("x", .integer(5)), ("f", .real(2.5)),
    ("l", .list([.integer(3), .integer(1), .integer(2)])),
    (
      "d",
      .dictionary([
        ("a", .integer(1)), ("B", .integer(2)),
        ("c", .list([.integer(1), .dictionary([("z", text("é"))])])),
      ])
    ),
    ("s", text("Hello World-foo (bar)")), ("e", text("")), ("big", .integer(12_345_678_901_234)),
    ("xs", .list([.real(1.5), .real(1e20), .real(1e-5), .real(0.1)])), ("q", text("it's")),
    ("tools", .none),
  ]

  /// A date of 500,000 conversions is formatted in time proportional to its length.
  @Test(.timeLimit(.minutes(1))) func longDatesAreFormatted() throws {
    let text = try Template("{{ strftime_now('%' * 1000000) | length }}").render([]).text
    #expect(text == "500000")
  }

  @Test func templatesRenderAsInTransformers() throws {
    let snippets = try Self.snippets()
    #expect(snippets.count == 209 && snippets.count { $0.text == nil } == 20)
    for snippet in snippets {
      let text = try? Template(snippet.template).render(Self.variables).text
      // Bytes are compared, because Swift's strings are equal across Unicode normal forms.
      #expect(
        text.map { Array($0.utf8) } == snippet.text.map { Array($0.utf8) },
        "\(snippet.template): \(text ?? "an error") for \(snippet.text ?? "an error")")
    }
  }
}
