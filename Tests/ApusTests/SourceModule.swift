import Foundation

/// A folder of `Sources` or `Tests` with files of Swift, read as text.
struct SourceModule {
  let name: String
  /// The modules that its files import.
  private(set) var imports: Set<String> = []
  /// The types at the top level that other files see.
  private(set) var types: Set<String> = []
  /// The sentences in quotation marks that first lines of files consist of: the module's boundary.
  private(set) var sentences: [String] = []

  static func all(in folder: String) throws -> [SourceModule] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted().compactMap { name in
      let files = try FileManager.default.subpathsOfDirectory(atPath: "\(folder)/\(name)")
        .filter { $0.hasSuffix(".swift") }
      guard !files.isEmpty else { return nil }
      var module = SourceModule(name: name)
      for file in files {
        module.read(try String(contentsOfFile: "\(folder)/\(name)/\(file)", encoding: .utf8))
      }
      return module
    }
  }

  private init(name: String) {
    self.name = name
  }

  private mutating func read(_ text: String) {
    let importing = /^(?:@\S+ +)?(?:\w+ +)?import +(?:\w+ +)?(\w+)/
    let declaring =
      /^(?:(?:@\S+|package|internal|final|indirect) +)*(?:struct|class|enum|protocol|actor|typealias) +(\w+)/
    for match in text.matches(of: importing.anchorsMatchLineEndings()) {
      imports.insert(String(match.1))
    }
    for match in text.matches(of: declaring.anchorsMatchLineEndings()) {
      types.insert(String(match.1))
    }
    if let match = text.prefixMatch(of: /\/\/ "(.+)"\n/) { sentences.append(String(match.1)) }
  }
}

/// The targets of `Package.swift`, read as text.
struct Manifest {
  /// The modules that each target declares as its dependencies.
  private(set) var dependencies: [String: Set<String>] = [:]

  /// The modules that need no declaration.
  static let modulesOfTheToolchain: Set = [
    "Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Testing",
  ]

  init(_ text: String) {
    let targets = text.matches(of: /(?:arget|Library)\(\s*name: "(\w+)"/)
    let ends = targets.dropFirst().map(\.range.lowerBound) + [text.endIndex]
    for (target, end) in zip(targets, ends) {
      let block = text[target.range.upperBound..<end]
      let list = block.firstMatch(of: /dependencies: \[([^\]]*)\]/)?.1 ?? ""
      // The names of packages contain other characters, or are those of their modules.
      dependencies[String(target.1)] = Set(list.matches(of: /"(\w+)"/).map { String($0.1) })
    }
  }
}

/// The README's table with a row for each module: `| Module | Sentence. |`.
struct ModuleTable {
  /// The names in the first cell, without a remark in parentheses, and the second cell.
  private(set) var rows: [(modules: [String], sentence: String)] = []

  /// Finds the table that has a row of `Tensors`.
  init?(in page: String) {
    for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
      let cells = line.split(separator: "|").map { $0.trimmed }
      if line.hasPrefix("|"), cells.count == 2 {
        let names = cells[0].replacing(/\(.*\)/, with: "").matches(of: /\w+/)
        rows.append((names.map { String($0.output) }, cells[1]))
      } else if sentence(of: "Tensors") != nil {
        break
      } else {
        rows = []
      }
    }
    guard sentence(of: "Tensors") != nil else { return nil }
    // The heading and the line below it.
    rows.removeFirst(2)
  }

  func sentence(of module: String) -> String? {
    rows.first { $0.modules.contains(module) }?.sentence
  }
}
