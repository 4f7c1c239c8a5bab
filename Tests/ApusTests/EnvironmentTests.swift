import Foundation
import Testing

/// The environment variables that choose kernels and precision, as the programs read them.
@Suite struct EnvironmentTests {
  @Test(
    arguments: ["apus", "apus-bench"],
    [("APUS_CPU_LEVEL", "x86-64-v9"), ("APUS_AUTO_PRECISION", "int8")])
  func anImpossibleValueEndsTheProgramAtItsStart(
    name: String, variable: (name: String, value: String)
  ) throws {
    var program = try Program()
    defer { program.remove() }
    program.environment = [variable.name: variable.value]
    let executable = URL(fileURLWithPath: Program.executable).deletingLastPathComponent()
      .appendingPathComponent(name).path
    let (process, output, errors) = try program.start(executable, ["--help"])
    let result = Program.finish(process, output, errors)
    #expect(result.code == 2 && result.output.isEmpty, "\(result)")
    #expect(result.errors.hasPrefix("\(name): \(variable.name) is \"\(variable.value)\", which is"))
    #expect(result.errors.hasSuffix(", or unset it.\n"))
    #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
  }

  @Test(arguments: ["fp32", "bf16", ""])
  func autoTakesThePrecisionOfTheVariable(value: String) throws {
    try Program.withCorpus { program in
      var program = program
      program.environment = ["APUS_AUTO_PRECISION": value, "APUS_CPU_LEVEL": ""]
      let result = try program.run(["pretrain", "run.yaml", "--threads", "1", "--set", "steps=1"])
      #expect(result.code == 0, "\(result.errors)")
      let chosen = ["fp32", "bf16"].filter { result.errors.contains("products in \($0),") }
      #expect(chosen.count == 1 && (value.isEmpty || chosen == [value]), "\(result.errors)")
    }
  }
}
