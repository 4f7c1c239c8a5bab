import Testing

@testable import Jinja

/// Unsupported, invalid and unbounded templates throw errors that name the reason.
struct RefusalTests {
  private func error(_ template: String, limits: RenderingLimits = RenderingLimits())
    -> TemplateError?
  {
    let outcome = Result { try Template(template).render(SnippetTests.variables, limits: limits) }
    guard case .failure(let error) = outcome else { return nil }
    return error as? TemplateError
  }

  @Test(
    arguments: [
      ("a\n{% include 'x' %}", 2, "the tag 'include'"), ("{% do x %}", 1, "the tag 'do'"),
      ("{% if false %}\n\n{{ x | urlize }}{% endif %}", 3, "the filter 'urlize'"),
      ("{{ x is nonsense }}", 1, "the test 'nonsense'"),
      ("\n{% for a in l recursive %}{% endfor %}", 2, "a recursive for loop"),
      ("{{ l.append(1) }}", 1, "'append', which changes a list"),
      ("{{ d.update(a=1) }}", 1, "'update', which changes a dictionary"),
      ("{{ s.encode() }}", 1, "the method 'encode' of a string"),
      ("{{ s.__class__ }}", 1, "the attribute '__class__'"),
      ("{{ strftime_now('%Q') }}", 1, "strftime_now with the format \"%Q\""),
      ("{{ lipsum() }}", 1, "the function 'lipsum'"),
      ("{{ 9223372036854775807 + 1 }}", 1, "integers beyond 64 bits"),
      ("{{ [namespace()] }}", 1, "a namespace inside a list or dictionary"),
      ("{{ namespace(a=namespace()) }}", 1, "a namespace inside a list or dictionary"),
      ("{{ d[1, 2] }}", 1, "a subscript of several values"),
    ])
  func unsupportedConstructsAreNamed(template: String, line: Int, construct: String) {
    #expect(error(template) == TemplateError(line: line, .unsupported(construct)))
    #expect(
      error(template)?.description
        == "line \(line) of the chat template uses \(construct), which Apus does not support")
  }

  @Test(
    arguments: [
      ("{% if x %}", "the template ends before 'elif' or 'else' or 'endif'"),
      ("{% endif %}", "'endif' closes no open block"),
      ("{% else %}", "'else' is outside 'if' and 'for'"),
      ("{{ x", "a tag is not closed"), ("{# x", "a comment is not closed"),
      ("{% raw %}x", "a raw block is not closed"),
      ("{{ 'x }}", "a string is not closed"),
      ("{{ x ) }}", "')' closes no open bracket"),
      ("{{ ? }}", "the character '?' is not allowed in a tag"),
      ("{{ }}", "an expression is expected before '}}'"),
      ("{% break %}", "'break' is outside a loop"),
      ("{{ '\\xzz' }}", "a string has an invalid escape"),
      ("{% set true = 1 %}", "'true' cannot be set"),
    ])
  func invalidTemplatesAreRefusedWithTheReason(template: String, reason: String) {
    #expect(error(template) == TemplateError(line: 1, .syntax(reason)))
  }

  @Test func raiseExceptionGivesTheTemplatesOwnMessage() {
    let refused = error(
      "{% for m in messages %}\n{{ raise_exception('no ' ~ m.role) }}{% endfor %}")
    #expect(refused == TemplateError(line: 2, .raised("no system")))
    #expect(refused?.description == "the chat template refuses it at line 2: no system")
  }

  /// Endless, exploding and deep templates fail because of a limit and for no other reason.
  @Test(
    arguments: [
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      "{% macro m() %}{% call m() %}x{% endcall %}{{ caller() }}{% endmacro %}{{ m() }}",
      "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
      "{% set ns = namespace(t='x') %}{% for i in range(99) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}",
      "{% set ns = namespace(t='x') %}{% for i in range(99) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
      "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
      "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}",
      "{% set ns = namespace(l=1) %}{% for i in range(39) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}"
        + "{{ ns.l }}",
      "{% set ns = namespace(l=1) %}{% for i in range(39) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}"
        + "{{ ns.l | tojson }}",
      "{% set ns = namespace(l=1, m=1) %}{% for i in range(39) %}{% set ns.l = [ns.l, ns.l] %}"
        + "{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l == ns.m }}{{ ns.l in [ns.m] }}",
      "{{ range(1000000) }}", "{{ 'x' * 99999999999 }}", "{{ [1] * 9223372036854775807 }}",
      "{{ ('x' * 99999).replace('', 'y' * 99999) }}", "{{ ('x' * 9999) | indent(99999999999) }}",
      "{{ 'x'.center(9223372036854775807) }}", "{{ 'x'.zfill(99999999999) }}",
      "{% for i in range(99999) %}{{ 'x' * 99999 }}{% endfor %}",
      "{% set h = 'x' * 999999 %}{% for i in range(99999) %}{{ ('x' * 9999 ~ 'y') in h }}{% endfor %}",
      "{% for i in range(99999) %}{{ range(99999) | sort | unique | list | length }}{% endfor %}",
      "{{ (range(99999) | map('string') | join('x')) | replace('x', 'y' * 9999) }}",
    ])
  func hostileTemplatesAreBounded(template: String) {
    guard case .exhausted = error(template, limits: RenderingLimits(steps: 300_000))?.cause else {
      Issue.record("\(template): \(String(describing: error(template)))")
      return
    }
  }

  @Test(
    arguments: [
      String(repeating: "(", count: 100_000) + String(repeating: ")", count: 100_000),
      String(repeating: "[", count: 100_000), String(repeating: "not ", count: 100_000) + "x",
      String(repeating: "-", count: 100_000) + "1", String(repeating: "1+", count: 100_000) + "1",
      "x" + String(repeating: ".x", count: 100_000), "x" + String(repeating: "|e", count: 100_000),
      "1" + String(repeating: " if 1 else 1", count: 100_000),
      "x" + String(repeating: " is none", count: 100_000),
      String(repeating: "1 or ", count: 9999) + "1",
      String(repeating: "1 < ", count: 9999) + "1", String(repeating: "2**", count: 9999) + "1",
    ])
  func deepSourcesAreBounded(expression: String) {
    let found = error("{{ \(expression) }}")
    #expect(found != nil)
    if case .unsupported = found?.cause { Issue.record("\(found?.description ?? "")") }
  }

  @Test func deepBlocksAreBounded() {
    for tag in [
      "if x", "for a in l", "filter upper", "set v", "macro m()", "with a = 1", "generation",
    ] {
      #expect(error(String(repeating: "{% \(tag) %}", count: 2_000)) != nil)
    }
  }

  /// Expressions just within the limits are computed.
  @Test func nestingWithinTheLimitsIsRendered() throws {
    let depth = RenderingLimits.sourceDepth - 4
    let nested = String(repeating: "(", count: depth) + "1" + String(repeating: ")", count: depth)
    #expect(try Template("{{ \(nested) }}").render([]).text == "1")
    let sum = Array(repeating: "1", count: 90).joined(separator: " + ")
    #expect(try Template("{{ \(sum) }}").render([]).text == "90")
    let recursive = "{% macro m(n) %}{% if n %}.{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(20) }}"
    #expect(try Template(recursive).render([]).text == String(repeating: ".", count: 20))
  }
}
