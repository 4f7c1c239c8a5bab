import Foundation
import Testing

/// The boundaries of the modules: the manifest, the README's table and the sources agree.
@Suite struct ModuleTests {
  private let manifest: Manifest
  private let table: ModuleTable
  private let modules: [SourceModule]
  private let tests: [SourceModule]

  init() throws {
    let repository = ReadmeTests.repository
    func text(_ path: String) throws -> String {
      try String(contentsOfFile: "\(repository)/\(path)", encoding: .utf8)
    }
    manifest = Manifest(try text("Package.swift"))
    table = try #require(ModuleTable(in: text("README.md")), "README.md has no table of modules")
    modules = try SourceModule.all(in: "\(repository)/Sources")
    tests = try SourceModule.all(in: "\(repository)/Tests")
    #expect(modules.count > 20 && tests.count > 20)
  }

  /// The build accepts an import of any module that a dependency depends on.
  @Test func everyModuleImportsWhatItDeclares() {
    for module in modules + tests {
      let declared = manifest.dependencies[module.name] ?? []
      let imported = module.imports.subtracting(Manifest.modulesOfTheToolchain)
      #expect(imported.subtracting(declared).isEmpty, "\(module.name) does not declare them")
      #expect(declared.subtracting(imported).isEmpty, "\(module.name) does not import them")
    }
  }

  @Test func theTableNamesEveryModuleAndNothingElse() {
    let targets = Set(manifest.dependencies.keys)
    let sources = Set(modules.map(\.name))
    let names = table.rows.flatMap(\.modules)
    #expect(Set(names).count == names.count, "a module has two rows: \(names)")
    #expect(Set(names).subtracting(targets).isEmpty, "rows without a target")
    #expect(sources.subtracting(names).isEmpty, "modules without a row")
    #expect(sources.subtracting(targets).isEmpty, "folders without a target")
  }

  /// The figure of the page Architecture has a box for every module.
  @Test func theFigureNamesEveryModule() throws {
    let path = "\(ReadmeTests.repository)/Sources/Apus/Apus.docc/Resources/architecture.svg"
    let figure = try String(contentsOfFile: path, encoding: .utf8)
    for module in modules { #expect(figure.contains(">\(module.name)</text>"), "\(module.name)") }
  }

  @Test func theTableHasTheSentencesOfTheSources() {
    for module in modules {
      #expect(module.sentences.count <= 1, "\(module.name): \(module.sentences)")
      guard let sentence = module.sentences.first else { continue }
      #expect(table.sentence(of: module.name) == sentence, "\(module.name)")
    }
    #expect(modules.filter { !$0.sentences.isEmpty }.count > 15)
  }

  /// A name leads to one type, wherever it stands.
  @Test func everyTypeNameBelongsToOneModule() {
    var owners: [String: [String]] = [:]
    for module in modules {
      for name in module.types { owners[name, default: []].append(module.name) }
    }
    #expect(owners.count > 500)
    let shared = owners.filter { $0.value.count > 1 }
    #expect(shared.isEmpty, "\(shared)")
  }
}
