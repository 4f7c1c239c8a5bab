/// The facts that an instruction can name; nil where it, or a text, leaves one open.
public struct NamedFacts: Hashable, Sendable {
  /// The protagonist's name.
  public var name: String?
  /// The protagonist's kind: *wren*.
  public var kind: String?
  /// Where it happens, with its article: *the harbour*.
  public var place: String?
  /// When it happens: *spring day*, *Monday*.
  public var time: String?
  /// What goes wrong.
  public var problem: Problem?

  /// The given facts.
  public init(
    name: String? = nil, kind: String? = nil, place: String? = nil, time: String? = nil,
    problem: Problem? = nil
  ) {
    (self.name, self.kind, self.place) = (name, kind, place)
    (self.time, self.problem) = (time, problem)
  }

  /// Those of `facts` that an instruction can name.
  public init(_ facts: Facts) {
    self.init(
      name: facts.protagonist.name, kind: facts.protagonist.kind, place: facts.place,
      time: facts.time, problem: facts.problem)
  }

  /// The names of the facts that are not nil, in the order of their declaration.
  public var named: [String] {
    Self.all.filter { $0.value(self) != nil }.map(\.title)
  }

  /// The names of the facts of this value that `text` states as well.
  public func kept(in text: NamedFacts) -> [String] {
    Self.all.filter { $0.value(self) != nil && $0.value(self) == $0.value(text) }.map(\.title)
  }

  private static let all: [(title: String, value: @Sendable (NamedFacts) -> String?)] = [
    ("name", \.name), ("kind", \.kind), ("place", \.place), ("time", \.time),
    ("problem", { $0.problem?.rawValue }),
  ]
}
