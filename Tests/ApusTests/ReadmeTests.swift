import Foundation
import Testing

/// The README and the documentation catalog: every command, key, file and declaration that they name
/// exists, and the examples of the guides run.
@Suite(.serialized) struct ReadmeTests {
  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path
  private static let catalog = "Sources/Apus/Apus.docc"
  /// The paths of all articles of the catalog.
  static let articles = (FileManager.default.subpaths(atPath: "\(repository)/\(catalog)") ?? [])
    .filter { $0.hasSuffix(".md") }.sorted().map { "\(catalog)/\($0)" }
  static let pages =
    ["README.md", "Sources/Benchmarks/RESULTS.md", "Sources/Benchmarks/TRIED.md"] + articles

  private func page(_ path: String) throws -> Page {
    Page(try String(contentsOfFile: "\(Self.repository)/\(path)", encoding: .utf8))
  }

  /// The articles in the order of the landing page.
  private func articlesInOrder() throws -> [String] {
    let links = try page("\(Self.catalog)/Apus.md").links.map(\.text)
    return links.filter { $0.hasPrefix("doc:") }.compactMap { link in
      Self.articles.first { $0.hasSuffix("/\(link.dropFirst("doc:".count)).md") }
    }
  }

  @Test(arguments: pages) func everyNameInTheDocumentationExists(path: String) throws {
    let page = try page(path)
    #expect(!page.spans.isEmpty || path.hasSuffix("/Apus.md"))
    let problems = try page.problems(
      repository: Self.repository, folder: (path as NSString).deletingLastPathComponent)
    #expect(problems.isEmpty, "\(path):\n\(problems.joined(separator: "\n"))")
  }

  @Test func theLandingPageListsEveryArticleOnce() throws {
    let listed = try articlesInOrder()
    #expect(listed.sorted() == Self.articles.filter { !$0.hasSuffix("/Apus.md") })
  }

  /// The README's examples are lines of the guides, which the last test runs.
  @Test func everyExampleOfTheReadmeIsAnExampleOfAGuide() throws {
    let examples = { (page: Page) in
      page.blocks.filter(\.isShell).flatMap { ShellText($0.text).commands }
        .filter { $0.apus != nil }.map(\.words)
    }
    let ofReadme = examples(try page("README.md"))
    let ofGuides = Set(try Self.articles.flatMap { examples(try page($0)) })
    #expect(ofReadme.count > 10 && ofReadme.contains { $0.contains("pretrain") })
    for words in ofReadme { #expect(ofGuides.contains(words), "\(words)") }
  }

  @Test func everyConfigurationInTheRepositoryIsAccepted() throws {
    let program = try Program()
    defer { program.remove() }
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(Self.repository)/cluster")
      .filter { $0.hasSuffix(".yaml") }
    #expect(!names.isEmpty)
    for name in names {
      let path = "\(Self.repository)/cluster/\(name)"
      let isRecipe = try String(contentsOfFile: path, encoding: .utf8).contains("\nstages:")
      let result = try program.run(isRecipe ? ["run", path, "--dry-run"] : ["config", path])
      #expect(result.code == 0, "\(result.errors)")
    }
  }

  /// Each page has one mistake of one kind.
  ///
  /// Without this test of the checker, a name that it does not check would pass as correct.
  @Test(arguments: [
    ("```sh\napus tokenizer trian text --output x\n```", "trian"),
    ("```sh\nmake build\napus generate run x --temprature 1\n```", "line 3: apus generate"),
    ("```sh\nmpirun -np 2 apus pretrain run.yaml --thread 1\n```", "--thread"),
    (
      "```sh\nA=1 .build/release/apus config --set optimizer.learningrate=1 # why\n```",
      "learningRate"
    ),
    ("```sh\napus config --set steps=none | head\n```", "none"),
    ("```sh\napus config --schema; apus dota build x --output y\n```", "dota"),
    ("```sh\nmake biuld\n```", "biuld"),
    (
      "```sh\ncat > a.yaml <<'YAML'\ndata: { train: a }\nschedule: { warmpu: 1 }\nYAML\n```",
      "warmup"
    ),
    ("```yaml\ndata: { train: a }\nstep: 3\n```", "steps"),
    ("```yaml\nsteps: 3\n```", "data.train"),
    ("Text.\n\n    apus pretrain --resme never\n", "--resme"),
    ("Text.\n\n    HOSTFIEL=a cluster/pretrain.sh run.yaml\n", "HOSTFIEL"),
    ("Text.\n\n    HOSTFILE=hostfiles/none cluster/pretrain.sh run.yaml\n", "hostfiles/none"),
    ("Text.\n\n    cluster/pretrain.sh run.yaml --sed steps=1\n", "--sed"),
    ("Text.\n\n    cluster/pretrain.sh align run.yaml --sed steps=1\n", "--sed"),
    ("Text.\n\n    apus launch --hostsfile a pretrain run.yaml\n", "--hostsfile"),
    ("Text.\n\n    apus launch --hosts a:1 pretrain run.yaml --sed steps=1\n", "--sed"),
    ("Text.\n\n    cluster/pertrain.sh run.yaml\n", "pertrain"),
    ("So `--resmue never` it is", "--resmue"),
    ("So `apus pertrain` it is", "pertrain"),
    ("So `make tset` it is", "tset"),
    ("So `reduction: fats` it is", "fats"),
    ("So `redaction: fast` it is", "redaction"),
    ("So `batch.microBatch` it is", "microBatch"),
    ("So `cluster/none.sh` it is", "cluster/none.sh"),
    ("So `Sources/None.swift` it is", "Sources/None.swift"),
    ("So `Traner.swift` it is", "Traner.swift"),
    ("So `TrainerState` it is", "TrainerState"),
    ("So `Trainer.step(sendingWord:)` it is", "sendingWord"),
    ("```swift\n  let gradient = 1\n```", "let gradient = 1"),
    ("See [this](cluster/none.sh)", "cluster/none.sh"),
    ("See <doc:LifeOfAnything>.", "LifeOfAnything"),
    ("![A figure.](architektur)", "architektur"),
  ])
  func aNameThatDoesNotExistIsReported(text: String, word: String) throws {
    let problems = try Page(text).problems(repository: Self.repository, folder: Self.catalog)
    #expect(problems.count == 1 && problems[0].contains(word), "\(problems)")
  }

  @Test func aCorrectPageHasNoProblems() throws {
    let text = """
      `make demo`, `--set key=value`, `reduction: fast`, `batch.microBatches`, `run.yaml`, `apus`,
      `apus data build`, `Trainer.step`, `Trainer.swift`, `NAMECommand.swift`, `[MASK]`,
      <doc:LifeOfAStep>, ![A figure.](architecture), [README](../../../README.md)

      ```swift
        let totals = try tallies.totals(over: replicas)
        …
      ```

      ```sh
      apus data build "a b" 'c' --output x > log 2>&1 && apus config  # --nothing
      mpirun -np 2 apus pretrain run.yaml \\
        --threads 1 --set optimizer.betas=[0.9,0.99]
      ```

          cluster/pretrain.sh run.yaml --set steps=100
      """
    let problems = try Page(text).problems(repository: Self.repository, folder: Self.catalog)
    #expect(problems.isEmpty, "\(problems)")
  }

  /// Runs all shell blocks of the articles in the order of the landing page, in one shell, in a folder
  /// with some sources.
  ///
  /// The text is executed unchanged, but some names have another meaning: `apus` is the program
  /// beside the tests, `make` only checks that the target exists, and there may be more ranks than
  /// cores.
  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func theExamplesOfTheGuidesRunInOrder() throws {
    let program = try Program()
    defer { program.remove() }
    try provide(program)
    var script = """
      set -eu -o pipefail
      trap 'echo "$page, block at line $block: $BASH_COMMAND" >&2' ERR
      export PATH="$PWD/bin:$PATH"

      """
    var count = 0
    for path in try articlesInOrder() {
      for block in try page(path).blocks where block.isShell {
        script += "page=\(path) block=\(block.line)\n\(block.text)"
        count += 1
      }
    }
    #expect(count > 10)
    try program.write(script + "echo all of \(count)\n", to: "guides.sh")
    let (process, output, errors) = try program.start("/bin/bash", ["guides.sh"])
    let result = Program.finish(process, output, errors, limit: 300)
    #expect(result.code == 0, "\(result.errors.suffix(3000))")
    #expect(result.output.hasSuffix("all of \(count)\n"), "\(result.output.suffix(300))")
  }

  /// Writes the files of the repository that the examples use.
  private func provide(_ program: Program) throws {
    for (room, kind) in [("Datasets", ".swift"), ("CKernels", ".c")] {
      let sources = "\(Self.repository)/Sources/\(room)"
      for name in try FileManager.default.contentsOfDirectory(atPath: sources)
      where name.hasSuffix(kind) {
        let text = try String(contentsOfFile: "\(sources)/\(name)", encoding: .utf8)
        try program.write(text, to: "Sources/\(room)/\(name)")
      }
    }
    let recipe = "cluster/road.yaml"
    try program.write(
      try String(contentsOfFile: "\(Self.repository)/\(recipe)", encoding: .utf8), to: recipe)
    let commands = [
      ".build/release/apus": """
      case "$1" in pretrain|finetune|reward|align|evaluate) set -- "$@" --oversubscribe;; esac
      exec \(Program.executable) "$@"
      """,
      "bin/mpirun": "exec \(Program.mpirun ?? "mpirun") --oversubscribe \"$@\"",
      "bin/make": """
      for target; do grep -q "^$target:" \(Self.repository)/Makefile || exit 2; done
      """,
    ]
    for (name, text) in commands {
      try program.write("#!/bin/sh\n\(text)\n", to: name)
      chmod("\(program.folder)/\(name)", 0o755)
    }
  }
}
