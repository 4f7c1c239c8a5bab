/// The facts that an instruction can name; nil for each fact that is not stated.
package struct NamedFacts: Hashable, Sendable {
  /// The protagonist's name.
  package var name: String?
  /// The protagonist's kind: *wren*.
  package var kind: String?
  /// The place, with its article: *the harbour*.
  package var place: String?
  /// The time: *spring day*, *Monday*.
  package var time: String?
  package var problem: Problem?

  package init(
    name: String? = nil, kind: String? = nil, place: String? = nil, time: String? = nil,
    problem: Problem? = nil
  ) {
    (self.name, self.kind, self.place) = (name, kind, place)
    (self.time, self.problem) = (time, problem)
  }

  /// Takes those of `facts` that an instruction can name.
  package init(_ facts: Facts) {
    self.init(
      name: facts.protagonist.name, kind: facts.protagonist.kind, place: facts.place,
      time: facts.time, problem: facts.problem)
  }

  /// Names of the facts that are not nil, in the order of their declaration.
  package var named: [String] {
    Self.all.filter { $0.value(self) != nil }.map(\.title)
  }

  /// Returns the names of the facts that have the same value in `text`.
  package func kept(in text: NamedFacts) -> [String] {
    Self.all.filter { $0.value(self) != nil && $0.value(self) == $0.value(text) }.map(\.title)
  }

  private static let all: [(title: String, value: @Sendable (NamedFacts) -> String?)] = [
    ("name", \.name), ("kind", \.kind), ("place", \.place), ("time", \.time),
    ("problem", { $0.problem?.rawValue }),
  ]
}
