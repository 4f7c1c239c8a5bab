import Foundation
import Testing

/// The README's examples: every command, key and file that they name exists, and they run.
@Suite(.serialized) struct ReadmeTests {
  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  private func readme() throws -> String {
    try String(contentsOfFile: "\(Self.repository)/README.md", encoding: .utf8)
  }

  @Test func everyNameInTheReadmeExists() throws {
    let page = Page(try readme())
    #expect(page.blocks.contains { $0.isShell } && page.spans.count > 20)
    let commands = page.blocks.flatMap { ShellText($0.text).commands }
    #expect(commands.contains { $0.apus?.first == "pretrain" })
    let problems = try page.problems(repository: Self.repository)
    #expect(problems.isEmpty, "\(problems.joined(separator: "\n"))")
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
    ("```sh\ncat > a.yaml <<'YAML'\nschedule: { warmpu: 1 }\nYAML\n```", "warmup"),
    ("```yaml\nstep: 3\n```", "steps"),
    ("Text.\n\n    apus pretrain --resme never\n", "--resme"),
    ("Text.\n\n    HOSTFIEL=a cluster/pretrain.sh run.yaml\n", "HOSTFIEL"),
    ("Text.\n\n    HOSTFILE=hostfiles/none cluster/pretrain.sh run.yaml\n", "hostfiles/none"),
    ("Text.\n\n    cluster/pretrain.sh run.yaml --sed steps=1\n", "--sed"),
    ("Text.\n\n    cluster/pertrain.sh run.yaml\n", "pertrain"),
    ("So `--resmue never` it is", "--resmue"),
    ("So `apus pertrain` it is", "pertrain"),
    ("So `make tset` it is", "tset"),
    ("So `reduction: fats` it is", "fats"),
    ("So `redaction: fast` it is", "redaction"),
    ("So `batch.microBatch` it is", "microBatch"),
    ("So `cluster/none.sh` it is", "cluster/none.sh"),
    ("See [this](cluster/none.sh)", "cluster/none.sh"),
  ])
  func aNameThatDoesNotExistIsReported(text: String, word: String) throws {
    let problems = try Page(text).problems(repository: Self.repository)
    #expect(problems.count == 1 && problems[0].contains(word), "\(problems)")
  }

  @Test func aCorrectPageHasNoProblems() throws {
    let text = """
      `make demo`, `--set key=value`, `reduction: fast`, `batch.microBatches`, `run.yaml`, `apus`.

      ```sh
      apus data build "a b" 'c' --output x > log 2>&1 && apus config  # --nothing
      mpirun -np 2 apus pretrain run.yaml \\
        --threads 1 --set optimizer.betas=[0.9,0.99]
      ```

          cluster/pretrain.sh run.yaml --set steps=100
      """
    let problems = try Page(text).problems(repository: Self.repository)
    #expect(problems.isEmpty, "\(problems)")
  }

  /// Runs all shell blocks of the README in order, in one shell, in a folder with some sources.
  ///
  /// The text is executed unchanged, but some names have another meaning: `apus` is the program
  /// beside the tests, `make` only checks that the target exists, and there may be more ranks than
  /// cores.
  @Test(.enabled(if: Program.mpirun != nil, "mpirun is missing: make setup installs it"))
  func theExamplesOfTheReadmeRunInOrder() throws {
    let program = try Program()
    defer { program.remove() }
    try provide(program)
    var script = """
      set -eu -o pipefail
      trap 'echo "README.md, block at line $block: $BASH_COMMAND" >&2' ERR
      export PATH="$PWD/bin:$PATH"

      """
    let blocks = Page(try readme()).blocks.filter(\.isShell)
    for block in blocks { script += "block=\(block.line)\n\(block.text)" }
    try program.write(script + "echo all of \(blocks.count)\n", to: "readme.sh")
    let (process, output, errors) = try program.start("/bin/bash", ["readme.sh"])
    let result = Program.finish(process, output, errors, limit: 300)
    #expect(result.code == 0, "\(result.errors.suffix(3000))")
    #expect(result.output.hasSuffix("all of \(blocks.count)\n"), "\(result.output.suffix(300))")
  }

  /// Writes the files of the repository that the README's examples use.
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
