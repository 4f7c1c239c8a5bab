extension ConfigurationReader {
  /// The YAML of every key read so far with its value, including defaults.
  ///
  /// Keys are in the order of reading, a section where its first key was read. Reading the text
  /// gives the same values again; an absent optional key is written as `null`.
  package var resolved: String { resolved(withHelp: false) }

  /// The resolved YAML, with a comment with the help above each key if `withHelp` is true.
  package func resolved(withHelp: Bool) -> String {
    var text = ""
    Section(declarations).write(to: &text, indentation: 0, withHelp: withHelp)
    return text
  }
}

/// The keys of one level, in the order of their first appearance.
private struct Section {
  typealias Declaration = ConfigurationReader.Declaration

  private enum Member {
    case value(Declaration)
    case section([(path: Substring, declaration: Declaration)])
  }

  private var names: [String] = []
  private var members: [Member] = []

  init(_ declarations: [Declaration]) {
    self.init(declarations.map { ($0.description.path[...], $0) })
  }

  private init(_ items: [(path: Substring, declaration: Declaration)]) {
    for (path, declaration) in items {
      guard let dot = path.firstIndex(of: ".") else {
        names.append(String(path))
        members.append(.value(declaration))
        continue
      }
      let name = String(path[..<dot])
      let inner = (path[path.index(after: dot)...], declaration)
      if let index = names.firstIndex(of: name), case .section(let others) = members[index] {
        members[index] = .section(others + [inner])
      } else {
        names.append(name)
        members.append(.section([inner]))
      }
    }
  }

  func write(to text: inout String, indentation: Int, withHelp: Bool) {
    let margin = String(repeating: " ", count: indentation)
    for (name, member) in zip(names, members) {
      switch member {
      case .section(let items):
        text += "\(margin)\(name):\n"
        Section(items).write(to: &text, indentation: indentation + 2, withHelp: withHelp)
      case .value(let declaration):
        if withHelp {
          let key = declaration.description
          let facts = [key.unit, key.range].compactMap(\.self).joined(separator: ", ")
          let help = key.help + (facts.isEmpty ? "" : " (\(facts))")
          for line in help.wrapped(to: max(40, 98 - indentation)) {
            text += "\(margin)# \(line)\n"
          }
        }
        text += "\(margin)\(name):"
        text += Self.lines(of: declaration.value, key: name, indentation: indentation)
      }
    }
  }

  /// The value after `key:`; a list that does not fit in 100 columns has one line per item.
  private static func lines(of value: ResolvedValue, key: String, indentation: Int) -> String {
    let line = value.yaml
    let width = indentation + key.count + 2 + line.count
    guard case .list(let items) = value, width > 100 else { return " \(line)\n" }
    let margin = String(repeating: " ", count: indentation + 2)
    return "\n" + items.map { "\(margin)- \($0.yaml)\n" }.joined()
  }
}
