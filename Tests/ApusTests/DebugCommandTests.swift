import Foundation
import Testing

/// `apus debug`: dumps of a model, and their comparison.
@Suite struct DebugCommandTests {
  @Test func dumpsAreWrittenAndCompared() throws {
    try Program.withModel { program in
      func dump(_ name: String, _ options: String...) throws {
        let result = try program.run(
          ["debug", "dump", "base", "--gradients", "--output", name] + options)
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output.hasPrefix("\(name): ") && result.output.hasSuffix(" ids\n"))
      }
      try dump("one", "--ids", "72,105,33", "--threads", "1")
      try dump("two", "--ids", "72,105,33", "--threads", "2")
      try dump("rounded", "--ids", "72,105,33", "--precision", "bf16")
      try dump("text", "Hi, bird")
      // The bits do not depend on the number of threads.
      #expect(program.read("one") == program.read("two"))
      let equal = try program.run(["debug", "compare", "one", "two", "--tolerance", "0"])
      #expect(equal.code == 0 && equal.output.hasSuffix(" 0 of them over 0.0\n"), "\(equal.output)")

      let rounded = try program.run(["debug", "compare", "one", "rounded"])
      #expect(rounded.code == 1 && rounded.errors.isEmpty, "\(rounded.errors)")
      let marked = rounded.output.split(separator: "\n").filter { $0.hasPrefix(">") }
      // The first tensor that only products read, which is stored in bf16.
      #expect(
        marked.count == 1 && marked[0].hasPrefix("> transformer.h.0.ln_1 "), "\(rounded.output)")
      let shapes = try program.run(["debug", "compare", "one", "text", "--all"])
      #expect(shapes.code == 1 && shapes.output.contains("[3, 16] ≠ [8, 16]"), "\(shapes.output)")
      for output in [rounded.output, shapes.output] {
        #expect(output.split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(output)")
      }
    }
  }

  /// Ids need no tokenizer; neither may a name change the terminal.
  @Test func foldersWithoutATokenizerAndOddNamesAreRead() throws {
    let program = try Program()
    defer { program.remove() }
    let model = "\(ReadmeTests.repository)/Tests/ModelsTests/Goldens/gpt2-tied"
    let dumped = try program.run(["debug", "dump", model, "--ids", "1", "--output", "dump"])
    #expect(dumped.code == 0, "\(dumped.errors)")
    let words = dumped.output.split(separator: " ")
    #expect(words.first == "dump:" && words.suffix(4) == ["tensors", "of", "1", "id\n"])
    // An empty file, as a shell's redirection makes it, is no other file's contents.
    try program.write("", to: "new/empty")
    for output in ["new/empty", "new/folder/dump"] {
      let again = try program.run(["debug", "dump", model, "--ids", "1", "--output", output])
      #expect(again.code == 0 && program.read(output) == program.read("dump"), "\(again.errors)")
    }
    let text = try program.run(["debug", "dump", model, "Hi", "--output", "text"])
    #expect(text.code == 2 && text.errors.contains("tokenizer"), "\(text.errors)")

    for (file, name, value) in [("a", "odd", 1), ("b", "odd", 2), ("c", "other", 1)]
      as [(String, String, Float)]
    {
      let header = #"{"\#(name)\u001b[31m\nname":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
      var bytes = Data()
      withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { bytes += $0 }
      bytes += header.utf8
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
      try program.write(bytes, to: file)
    }
    let values = try program.run(["debug", "compare", "a", "b"])
    #expect(values.output.contains("> odd␛[31m name "), "\(values.output)")
    #expect(values.output.contains("1 tensor in both files, 1 of them over"), "\(values.output)")
    #expect(values.output.contains("first: odd␛[31m name\n"), "\(values.output)")
    let names = try program.run(["debug", "compare", "a", "c"])
    #expect(names.output.contains("  other␛[31m name\n"), "\(names.output)")
  }

  @Test func badInputIsRefused() throws {
    try Program.withModel { program in
      for (arguments, code, word) in [
        (["dump", "base", "--output", "x"], 64, "The input is missing"),
        (["dump", "base", "", "--output", "x"], 2, "no token"),
        (["dump", "base", "Hi", "--ids", "1", "--output", "x"], 64, "--ids"),
        (["dump", "base", "--ids", "1,,2", "--output", "x"], 64, "commas"),
        (["dump", "base", "--ids", "1,999", "--output", "x"], 2, "999"),
        (["dump", "base", "--ids", "1", "--gradients", "--output", "x"], 2, "next token"),
        (["dump", "base", "--ids", "1", "--output", "/proc/none/x"], 5, "/proc/none"),
        (["dump", "base", "--ids", "1", "--output", "base"], 2, "is a folder"),
        (["dump", "base", "--ids", "1", "--output", "run.yaml"], 2, "not a dump"),
        (["compare", "none", "none"], 2, "none"),
        (["compare", "run.yaml", "run.yaml"], 2, "run.yaml"),
        (["compare", "a", "b", "--tolerance", "-1"], 64, "tolerance"),
      ] {
        let result = try program.run(["debug"] + arguments)
        #expect(result.code == Int32(code) && result.errors.contains(word), "\(result.errors)")
        #expect(result.output.isEmpty && program.read("x") == nil)
      }
    }
  }
}
