extension ConfigurationReader {
  /// The YAML of every key read so far with its value, including defaults.
  ///
  /// Keys are in the order of reading, a section where its first key was read. Reading the text
  /// gives the same values again; an absent optional key is written as `null`.
  package var resolved: String { resolved(withHelp: false) }

  /// The resolved YAML, with a comment with the help above each key if `withHelp` is true.
  package func resolved(withHelp: Bool) -> String {
    var text = ""
    let items = declarations.map { (path: $0.description.path[...], declaration: $0) }
    Self.write(items, to: &text, indentation: 0, withHelp: withHelp)
    return text
  }

  /// Appends the keys of one level, whose paths are relative to it, and the sections below.
  private static func write(
    _ items: [(path: Substring, declaration: Declaration)], to text: inout String,
    indentation: Int, withHelp: Bool
  ) {
    let margin = String(repeating: " ", count: indentation)
    var names: Set<Substring> = []
    for (path, declaration) in items {
      let name = path.prefix { $0 != "." }
      guard names.insert(name).inserted else { continue }
      guard name == path else {
        let members = items.filter { $0.path.hasPrefix("\(name).") }
        text += "\(margin)\(name):\n"
        write(
          members.map { ($0.path.dropFirst(name.count + 1), $0.declaration) }, to: &text,
          indentation: indentation + 2, withHelp: withHelp)
        continue
      }
      if withHelp {
        let key = declaration.description
        let facts = [key.isRequired ? "required" : nil, key.unit, key.range].compactMap(\.self)
          .joined(separator: ", ")
        let help = key.help + (facts.isEmpty ? "" : " (\(facts))")
        for line in help.wrapped(to: max(40, 98 - indentation)) {
          text += "\(margin)# \(line)\n"
        }
      }
      text += "\(margin)\(name):"
      text += lines(of: declaration.value, key: name, indentation: indentation)
    }
  }

  /// The value after `key:`; a list that does not fit in 100 columns has one line per item.
  private static func lines(
    of value: ResolvedValue, key: Substring, indentation: Int
  ) -> String {
    let line = value.yaml
    let width = indentation + key.count + 2 + line.count
    guard case .list(let items) = value, width > 100 else { return " \(line)\n" }
    let margin = String(repeating: " ", count: indentation + 2)
    return "\n" + items.map { "\(margin)- \($0.yaml)\n" }.joined()
  }
}
