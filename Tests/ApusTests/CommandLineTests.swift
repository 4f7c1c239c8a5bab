import Foundation
import Testing

/// Command lines: subcommands that do not exist, negative numbers, and the one form of token ids.
@Suite(.serialized) struct CommandLineTests {
  @Test func subcommandsThatDoNotExistAreNamed() throws {
    let program = try Program()
    defer { program.remove() }
    for (words, expected) in [
      ("pretrian x.yaml", "no subcommand apus pretrian; did you mean apus pretrain?"),
      ("eval m", "did you mean apus evaluate?"),
      ("inspect m", "did you mean apus data inspect or apus model inspect?"),
      ("tokenizer encod x", "did you mean apus tokenizer encode?"),
      ("data clean --help", "no subcommand apus data clean; apus data --help lists them"),
      ("checkpoint --help", "no subcommand apus checkpoint; apus --help lists them"),
      ("help checkpoint", "no subcommand apus checkpoint"),
      ("chat m", "no subcommand apus chat; apus generate"),
      ("serve m", "no subcommand apus serve; apus export"),
      ("predict m", "no subcommand apus predict; apus evaluate"),
      ("train x.yaml", "apus pretrain, finetune, reward or align"),
      ("dpo x.yaml", "no subcommand apus dpo; it is apus align with method: dpo."),
      ("GRPO x.yaml", "it is apus align with method: grpo."),
      ("tune x.yaml", "no subcommand apus tune; it is apus finetune."),
      ("resume x.yaml", "no subcommand apus resume; the command that started a run"),
      ("convert m", "no subcommand apus convert; apus export"),
      ("embed m", "The texts are missing"), ("embed m a --file b", "not both"),
      ("sft x.yaml", "no subcommand apus sft; it is apus finetune."),
      ("reward-model x.yaml", "it is apus reward."),
      ("config --phase dpo", "dpo is not a phase; it is align with method: dpo."),
      ("config --phase tune", "tune is not a phase; it is finetune."),
      ("config --phase x", "x is not a phase; choose pretrain, finetune, reward, align."),
      ("finetune --none", "apus: Unknown option '--none'.\nUsage: apus finetune"),
      ("pretrain x.yaml --dry-run --profile", "--dry-run trains nothing"),
      ("generate m --max-new-tokens 3", "There is no option --max-new-tokens; it is --tokens."),
      ("generate m --max_new_tokens=3", "There is no option --max_new_tokens; it is --tokens."),
      ("tokenizer train t --vocab 300", "There is no option --vocab; it is --vocabulary."),
      ("export m --out x", "There is no option --out; it is --output."),
      ("export m -o x", "There is no option -o; it is --output."),
      ("finetune x.yaml --lr 1e-3", "There is no option --lr; it is --set optimizer.learningRate="),
      ("pretrain --max_steps=9", "There is no option --max_steps; it is --set steps=…"),
    ] {
      let result = try program.run(words.split(separator: " ").map(String.init))
      #expect(result.code == 64 && result.output.isEmpty, "\(words): \(result)")
      // As every other error of the program begins.
      #expect(result.errors.hasPrefix("apus: "), "\(result.errors)")
      #expect(result.errors.contains(expected), "\(result.errors)")
    }
    let unnamed = try program.run(["export", "m", "--output", ""])
    #expect(unnamed.code == 64 && unnamed.errors.contains("--output is empty"), "\(unnamed)")
    let version = try program.run(["--version"]).output
    #expect(
      version.wholeMatch(of: /0\.\d+\.\d+ \((Open MPI v|MPICH )\d+\.\d+.*\)\n/) != nil, "\(version)"
    )
    for words in ["help data", "data --help", "help model inspect", "--version"] {
      let result = try program.run(words.split(separator: " ").map(String.init))
      #expect(result.code == 0 && !result.output.isEmpty, "\(words): \(result)")
    }
  }

  /// A negative number is the value of the option before it.
  @Test func negativeNumbersReachTheirOptions() throws {
    let program = try Program()
    defer { program.remove() }
    for (words, expected) in [
      (["generate", "m", "--temperature", "-1"], "--temperature must be 0 or more, not -1"),
      (["generate", "m", "--tokens", "-5"], "--tokens must not be negative, but is -5"),
      (["evaluate", "m", "--texts", "t", "--temperature", "-0.5"], "0 or more, not -0.5"),
      (["pretrain", "--threads", "-1"], "--threads must be at least 1, not -1"),
    ] {
      let result = try program.run(words)
      #expect(result.code == 64 && result.errors.contains(expected), "\(result.errors)")
    }
    // Behind -- a number is an argument.
    let text = try program.run(["tokenizer", "encode", "--tokenizer", "bytes", "--", "-1"])
    #expect(text.code == 0 && text.output == "45 49\n", "\(text)")
  }

  /// The output of `tokenizer encode` is input of every command that takes ids.
  @Test func idsHaveOneForm() throws {
    try Program.withModel { program in
      let ids = try program.run(["tokenizer", "encode", "Say"]).output
        .trimmingCharacters(in: .newlines)
      #expect(ids == "83 97 121")
      for form in [[ids], ids.components(separatedBy: " "), ["83,97, 121"]] {
        #expect(try program.run(["tokenizer", "decode"] + form).output == "Say", "\(form)")
      }
      let options = ["--tokens", "3", "--greedy", "--threads", "1"]
      let text = try program.run(["generate", "base", "Say"] + options)
      for form in [ids, "83,97,121"] {
        let result = try program.run(["generate", "base", "--ids", form] + options)
        #expect("Say" + result.output == text.output, "\(result)")
        let dump = try program.run(
          ["debug", "dump", "base", "--ids", form, "--output", "x", "--threads", "1"])
        #expect(dump.code == 0 && dump.output.contains("3 ids"), "\(dump)")
      }
      for form in ["83 x", "1,,2", "-1"] {
        let generated = try program.run(["generate", "base", "--ids", form])
        #expect(generated.code == 64 && generated.errors.contains("--ids"), "\(generated)")
        let decoded = try program.run(["tokenizer", "decode", "--", form])
        #expect(decoded.code == 2 && decoded.errors.contains("are not token ids"), "\(decoded)")
      }
    }
  }

  @Test func configPrintsTheDefaultsOfEveryPhase() throws {
    let program = try Program()
    defer { program.remove() }
    for phase in ["pretrain", "finetune", "reward", "align"] {
      let result = try program.run(["config", "--phase", phase])
      #expect(result.code == 0 && result.output.contains("  train: null\n"), "\(result)")
      // A section stands once, with all its keys.
      let lines = try program.run(["config", "--phase", phase, "--schema", "--json"]).output
      let keys = lines.matches(of: /"key" ?: ?"([^"]+)"/).map { String($0.1) }
      let sections = keys.map { $0.split(separator: ".")[0] }
      let starts = zip(sections, ["" as Substring] + sections).count { $0 != $1 }
      #expect(keys.count > 20 && starts == Set(sections).count, "\(keys)")
    }
    let changed = try program.run(["config", "--phase", "align", "--set", "method=dpo"])
    #expect(
      changed.code == 0 && changed.output.contains("\nmethod: dpo\n")
        && changed.output.contains("  from: null\n"), "\(changed)")
    let unknown = try program.run(["config", "--phase", "align", "--set", "metod=dpo"])
    #expect(unknown.code == 2 && unknown.errors.contains("did you mean method?"), "\(unknown)")
    try program.write("{ task: chat, model: { from: m }, data: { train: x } }", to: "chat.yaml")
    let other = try program.run(["config", "chat.yaml"])
    #expect(
      other.code == 2
        && other.errors.contains("no key task; it is a key of finetune: use apus finetune"),
      "\(other)")
  }
}
