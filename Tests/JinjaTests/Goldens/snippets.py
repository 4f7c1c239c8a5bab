"""Golden renderings of the template language, made with transformers' environment.

Made with Python 3.11.7, transformers 5.23.0 and jinja2 3.1.6:
    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install transformers==5.23.0 jinja2==3.1.6
    /tmp/venv/bin/python snippets.py
Writes snippets.json into this folder: templates with their rendered text, or null when rendering
fails. The variables are those of SnippetTests.swift.
"""
import datetime
import json
import pathlib

import transformers.utils.chat_template_utils as utils


class Day(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26)


utils.datetime = Day

VARIABLES = {
    "messages": [
        {"role": "system", "content": "Sys <b>"},
        {"role": "user", "content": " Hi there, Björn's \"x\" "},
        {"role": "assistant", "content": "Yo\n\nß ΑΣ"}],
    "n": None, "t": True, "x": 5, "f": 2.5, "l": [3, 1, 2],
    "d": {"a": 1, "B": 2, "c": [1, {"z": "é"}]}, "s": "Hello World-foo (bar)", "e": "",
    "big": 12345678901234, "xs": [1.5, 1e20, 1e-5, 0.1], "q": "it's", "tools": None}

# Every line is a template.
LINES = r'''{% for m in messages %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.length }}{{ loop.depth }}{{ loop.previtem.role }}|{{ loop.nextitem is defined }}{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}
{% for x in [] %}a{% else %}empty{% endfor %}
{% for x in l if x > 1 %}{{ x }}{{ loop.last }}{% else %}none{% endfor %}
{% for x in l if x > 10 %}{{ x }}{% else %}none{% endfor %}
{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% if x == 2 %}{% break %}{% endif %}{% endfor %}
{% set x = 1 %}{% for i in [1,2] %}{{ x }}{% set x = 7 %}{{ x }}{% endfor %}{{ x }}
{% set ns = namespace(a=1, b='x') %}{% for i in [1,2] %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c is defined }}
{% macro m(a, b=2, c='x') %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ m(1) }}{{ m(1, c=3) }}{{ m() }}{{ m(b=n) }}
{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1,2,3,z=4) }}
{% macro m(a) %}<{{ caller(a) }}>{% endmacro %}{% call(x) m(3) %}in {{ x }}{% endcall %}
{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}
{% set x | upper | trim %} abc {% endset %}[{{ x }}]
{% filter upper %}abc{{ s }}{% endfilter %}
{% with a = 1, b = x %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}
{{ s.split() }}{{ s.split('o') }}{{ s.split('o', 1) }}{{ s.rsplit('o', 1) }}{{ s.split(None, 1) }}
{{ s.strip('Hr()') }}|{{ '  a '.lstrip() }}|{{ ' a '.rstrip() }}|{{ s.startswith('He') }}{{ s.endswith(('x','bar)')) }}
{{ s.replace('o', '0') }}{{ s.replace('o', '0', 1) }}{{ s|replace('l', 'L') }}{{ s|replace('', '-') }}{{ 'aaa'.replace('', 'x', 2) }}
{{ s.upper() }}{{ s.lower() }}{{ s.title() }}{{ s|title }}{{ s|capitalize }}{{ s.swapcase() }}{{ "o'neil's x2y"|title }}{{ "o'neil's x2y".title() }}
{{ messages[2].content.upper() }}{{ messages[2].content.lower() }}{{ 'ΑΣ Σ ΑΣΑ'.lower() }}{{ 'ǆa'.title() }}{{ 'ßx'.capitalize() }}
{{ s[1:3] }}{{ s[-3:] }}{{ s[::-1] }}{{ s[::2] }}{{ l[1:] }}{{ l[::-1] }}{{ s[5:2] }}{{ l[-1] }}{{ l[9] is defined }}{{ s[0] }}
{{ 1 + 2 * 3 - 4 / 2 }}{{ 7 // 2 }}{{ -7 // 2 }}{{ -7 % 3 }}{{ 7 % -3 }}{{ 2 ** 10 }}{{ 2 ** -1 }}{{ -2 ** 2 }}{{ 7.5 // 2 }}{{ -7.5 % 2 }}
{{ 1 < 2 < 3 }}{{ 1 < 2 > 3 }}{{ 'a' < 'b' }}{{ 1 == 1.0 }}{{ True == 1 }}{{ [1,2] == [1,2] }}{{ (1,2) == [1,2] }}{{ {'a':1} == {'a':1} }}
{{ 'a' in 'abc' }}{{ 'z' not in 'abc' }}{{ 1 in l }}{{ 'a' in d }}{{ 'q' in undefinedvar }}
{{ n }}{{ t }}{{ f }}{{ l }}{{ d }}{{ (1,) }}{{ () }}{{ [] }}{{ {} }}{{ q }}{{ [q] }}{{ ['a"b', 'a\'b"c', '\n\t\\', '\x00é\u200b'] }}{{ xs }}{{ big * 10 }}
{{ d|tojson }}{{ d|tojson(indent=2) }}{{ messages|tojson }}{{ xs|tojson }}{{ n|tojson }}{{ '<&>\u2028\x7f\x01'|tojson }}{{ d|tojson(sort_keys=true) }}{{ d|tojson(separators=(',', ':')) }}{{ 'é👩'|tojson(ensure_ascii=true) }}
{{ [1,2]|join(', ') }}{{ messages|join('|', attribute='role') }}{{ messages|map(attribute='role')|join(',') }}{{ ['a','b']|map('upper')|list }}
{{ messages|selectattr('role', 'equalto', 'user')|list|length }}{{ messages|rejectattr('role','eq','user')|map(attribute='role')|list }}{{ l|select('odd')|list }}{{ l|reject('odd')|list }}{{ [0,1,'',n]|select|list }}
{% if messages|selectattr('role', 'equalto', 'nobody') %}gen-true{% endif %}{% if messages|selectattr('role', 'equalto', 'nobody')|list %}x{% endif %}
{{ messages|first }}{{ (messages|last).role }}{{ []|first is defined }}{{ l|sort }}{{ l|sort(reverse=true) }}{{ l|max }}{{ l|min }}{{ l|sum }}{{ ['b','A','c']|sort }}{{ ['b','A','c']|sort(case_sensitive=true) }}{{ [1,1,2]|unique|list }}
{{ d|dictsort }}{{ d|items|list }}{{ d.keys()|list }}{{ d.values()|list }}{{ d.get('a') }}{{ d.get('zz') }}{{ d.get('zz', 'dd') }}{{ d|length }}
{{ undefinedvar }}{{ undefinedvar is defined }}{{ undefinedvar|default('D') }}{{ e|default('D') }}{{ e|default('D', true) }}{{ n|default('D') }}{{ undefinedvar|length }}{{ undefinedvar|list }}{{ undefinedvar ~ 'x' }}{{ not undefinedvar }}{{ undefinedvar == undefinedvar2 }}
{{ undefinedvar.a }}
{{ undefinedvar + 'a' }}
{{ d.zz }}{{ d['zz'] }}{{ d.zz.y is defined }}
{{ 'a' + 1 }}
{{ 'a' ~ 1 ~ n ~ true }}
{{ 'a' 'b' "c" }}{{ 'x' * 3 }}{{ [1] * 2 + [3] }}{{ (1,2) + (3,) }}
{{ x if x > 3 else 'no' }}{{ 'y' if false }}{{ 'a' if n else 'b' if e else 'c' }}
{{ n is none }}{{ x is number }}{{ x is integer }}{{ f is float }}{{ s is string }}{{ d is mapping }}{{ l is sequence }}{{ d is sequence }}{{ l is iterable }}{{ t is boolean }}{{ t is true }}{{ t is integer }}{{ t is number }}{{ x is odd }}{{ x is even }}{{ x is divisibleby 5 }}{{ x is divisibleby(2) }}{{ x is eq 5 }}{{ x is in [5] }}{{ m is callable }}{{ x is not none }}{{ undefinedvar is string }}{{ undefinedvar is iterable }}{{ undefinedvar is sequence}}
{{ s|upper }}{{ s|lower }}{{ ' a '|trim }}{{ 'xxaxx'|trim('x') }}{{ s|length }}{{ s|wordcount }}{{ s|list }}{{ s|reverse }}{{ l|reverse|list }}
{{ '3'|int }}{{ 'x'|int }}{{ '3.7'|int }}{{ 3.9|int }}{{ '2.5'|float }}{{ 'x'|float }}{{ 2.5|round }}{{ 2.567|round(2) }}{{ 2.1|round(0,'ceil') }}{{ -3|abs }}{{ x|string }}{{ 3.0 }}
{{ 'a\nb\n\nc'|indent }}|{{ 'a\nb'|indent(2, true) }}|{{ 'a\n\nb\n'|indent(3, blank=true) }}|{{ ''|indent(2,true) }}
{{ 'a b c d e f g'|truncate(5, false, '..', 0) }}{{ 'abcdefgh'|truncate(5, true, '..', 0) }}{{ s|center(30) }}|{{ 'ab'.center(5) }}|{{ 'abc'.center(6) }}|{{ 'a'.zfill(3) }}{{ '-1'.zfill(4) }}{{ 'a'.ljust(3) }}|{{ 'a'.rjust(3, '*') }}
{{ 'a-b-c'.partition('-') }}{{ 'a-b-c'.rpartition('-') }}{{ 'abc'.find('c') }}{{ 'abc'.rfind('z') }}{{ 'abcabc'.count('bc') }}{{ 'abc'.removeprefix('a') }}{{ 'abc'.removesuffix('c') }}{{ 'a\nb\r\nc'.splitlines() }}{{ '12'.isdigit() }}{{ 'a'.isalpha() }}{{ ''.isspace() }}{{ 'Ab'.isupper() }}
{{ '%s is %d%%' | format('a', 3) }}{{ '%s' % 'x' }}{{ '%s-%s' % (1, 'b') }}{{ '{} {}'.format(1, 'b') }}{{ '{1}{0}{k}'.format(1, 2, k='z') }}{{ '{{}}'.format() }}
{{ range(3)|list }}{{ range(1,10,3)|list }}{{ range(5,0,-2)|list }}{% for i in range(3) %}{{ i }}{% endfor %}
{{ dict(a=1, b=2) }}{{ dict([('a', 1)]) }}{% set c = cycler('a','b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{% set j = joiner('-') %}{{ j() }}{{ j() }}
{% for i in [1,1,2] %}{{ loop.cycle('a','b') }}{% if loop.changed(i) %}C{% endif %}{% endfor %}
{{ [1,2,3,4,5]|batch(2)|list }}{{ [1,2,3,4,5]|batch(2, 'x')|list }}{{ [1,2,3,4,5]|slice(2)|list }}{{ messages|groupby('role') }}
{{ "a\tb\x41\u00e9\101\q\\" }}
{{ {'a': {'b': [1,2,{'c': 3}]}}.a.b[2].c }}{{ d['c'][1]['z'] }}{{ d.c.0 }}
{{ (1, 2)[1] }}{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (a, b) = [3, 4] %}{{ a }}{{ b }}{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{{ raise_exception('boo') }}
{{ strftime_now('%d %B %Y %H:%M %-d %a %j') }}
{{ l.append(1) }}
{{ x.foo.bar }}
{{ 1/0 }}
{% include 'x' %}
{{ x|nofilter }}
{{ x is notest }}
{% if %}
{% if x %}
{{ ('<'|safe) + '<' }}{{ '<' + ('&'|e) }}{{ '<>\'"&'|escape }}{{ ('<'|safe) ~ '<' }}{{ ['<'|safe, '<']|join('&') }}
{{ m(*[1,2]) }}
{% macro m(a,b) %}{{ a }}{{ b }}{% endmacro %}{{ m(*[1,2]) }}{{ m(**{'a':3,'b':4}) }}{{ m.name }}
{% macro m() %}{{ x }}{% set x = 3 %}{{ x }}{% endmacro %}{{ m() }}{{ x }}
{% if x is defined and x > 3 or false %}A{% elif true %}B{% else %}C{% endif %}
{% if not x in l and x not in [1] %}A{% endif %}
{% generation %}gen{{ x }}{% endgeneration %}
{% set ns = namespace() %}{% set ns.x = [] %}{% set ns.x = ns.x + [1] %}{{ ns.x }}
{{ messages|map('tojson')|join }}{{ messages|map(attribute='content')|map('trim')|map('upper')|list }}
{{ [{'a': {'b': 1}}]|map(attribute='a.b')|list }}{{ [[1,2]]|map(attribute=0)|list }}{{ [{'a':1},{}]|map(attribute='a', default='D')|list }}
{{ loop is defined }}{{ -x }}{{ +x }}{{ not x }}{{ 1 if true and not false }}
{{ 1_000 }}{{ 1e3 }}{{ 1.5e-3 }}{{ 0.1 + 0.2 }}{{ 1e16 }}{{ 123456789.123 }}{{ 1e-7 }}{{ 100000000000000000000.0 }}
{% print 5 %}{{ 'x' is in 'xyz' }}{{ [1,2,3] | first + 1 }}{{ 2 | default(3) * 2 }}{{ l | length > 2 }}{{ 'a' ~ 'b' | upper }}{{ 'a' + 'b' | upper }}
{{ messages[1]['content'] | trim }}{{ messages[1].content.strip().split(' ')[0] }}{{ messages[-1]['role'] }}{{ messages[1:] | length }}
{% for m in messages[1:] %}{% set outer = loop %}{% for c in [1,2] %}{{ outer.index }}{{ loop.index }}{% endfor %}{% endfor %}
{{ 'a,b'.split(',')|join(';') }}{{ ','.join(['a','b']) }}{{ ','.join([1]) }}
{% if x %}{% set zz = 1 %}{% endif %}{{ zz }}
{% for i in l %}{% set zz2 = 1 %}{% endfor %}{{ zz2 is defined }}
{{ n is sameas none }}{{ true is sameas true }}
{{ d.items() | list }}{{ d.items()|length }}{% for k in d %}{{ k }}{% endfor %}{% for c in 'añb' %}{{ c }}.{% endfor %}
{{ (messages | selectattr('role', 'eq', 'user') | first).content }}{{ ["a"] | attr('x') is defined }}{{ d | attr('a') is defined }}
{% set g = messages|map(attribute='role') %}{{ g|list }}{{ g|list }}
{% call m() %}x{% endcall %}
{% break %}
{% extends 'x' %}
{{ {1: 2, none: 3}|tojson }}{{ {1: 2}[1] }}{{ {'a': 1, 'a': 2} }}
{{ not n is none }}{{ (not x) }}{{ x == 5 == true }}
{{ s is upper }}{{ 'ABC' is upper }}{{ 'abc' is lower }}{{ 'default' is filter }}
{{ 'abc' * -1 }}|{{ 'x'.join('abc') }}|{{ '\u0130'.lower() }}|{{ 'ŉ'.upper() }}
{{ "äöü€👍"[1:3] }}{{ "👩‍👧"|length }}{{ 'e\u0301' == '\u00e9' }}{{ 'e\u0301'|length }}{{ {'e\u0301': 1}['\u00e9'] is defined }}'''

# A template of several lines. Every range of its lines that renders is a case as well.
LAYOUT = r'''{% raw %}{{ x }}{% y %}{% endraw %}after
a {#- comment -#} b {# c #} d
  {% if true %}
    x
  {% endif %}
y
  {%- if true -%}  z  {%- endif -%}  w
  {%+ if true %}
q
  {%+ endif +%}
r
{{- 1 -}}   x
   {{ 1 }}
 {# c #}
z
{# c -#}   
 z
{# c +#}
z
a {% raw %}
  x
 {% endraw %}
 b
 {%- raw -%}  x  {%- endraw -%}  b'''

OTHERS = [
    LAYOUT, "a\r\nb\r\n  {% if true %}\r\nx\r\n  {% endif %}\r\n", "a\n\n", "{{ 1 }}\n",
    "\n{% if true %}\n", "{%- if true %}\n\n  a\n\n{%- endif %}\n\n  b",
    " \n {%- set a = 1 -%} \n x", "{{'a\r\nb'}}"]


def rendered(template):
    try:
        return utils._compile_jinja_template(template).render(**VARIABLES)
    except Exception:
        return None


def main():
    parts = LAYOUT.split("\n")
    layouts = ["\n".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1)]
    texts = {layout: rendered(layout) for layout in layouts if "raw" not in layout}
    cases = [(layout, text) for layout, text in texts.items() if text is not None]
    cases += [(t, rendered(t)) for t in LINES.split("\n") + OTHERS]
    lines = ",\n".join(
        json.dumps({"template": t, "text": text}, ensure_ascii=False) for t, text in cases)
    path = pathlib.Path(__file__).parent / "snippets.json"
    path.write_text("[\n" + lines + "\n]\n", encoding="utf-8")
    print(len(cases), sum(text is None for _, text in cases))


main()
