import Foundation
import Testing

@testable import Monitoring

@Suite struct RunEnvironmentTests {
  private let cpuinfo = """
    processor\t: 0
    model name\t: AMD EPYC 9V74  80-Core Processor
    flags\t\t: fpu avx2 fma avx512f avx512_bf16 avx512_vnni

    processor\t: 1
    model name\t: AMD EPYC 9V74  80-Core Processor
    flags\t\t: fpu avx2

    """

  @Test func theFileHasTheDocumentedForm() throws {
    let environment = RunEnvironment(
      versions: ["apus": "0.1", "Open MPI": "4.1.4"], commit: "abc", hosts: ["a", "b"], ranks: 2,
      threads: 3, fields: ["kernels": .string("haswell")], processor: Processor(cpuinfo: cpuinfo),
      system: "Linux 6.1 x86_64", memoryBytes: 8_000_000)
    try withFolder { folder in
      let path = folder + "/environment.json"
      for _ in 0..<2 {
        try environment.write(to: path)
        #expect(
          try text(path) == """
            {
              "versions": {
                "apus": "0.1",
                "Open MPI": "4.1.4"
              },
              "commit": "abc",
              "hosts": [
                "a",
                "b"
              ],
              "ranks": 2,
              "threads": 3,
              "cpu": "AMD EPYC 9V74 80-Core Processor",
              "cpuCores": 2,
              "cpuFeatures": [
                "avx2",
                "fma",
                "avx512f",
                "avx512_vnni",
                "avx512_bf16"
              ],
              "memoryBytes": 8000000,
              "system": "Linux 6.1 x86_64",
              "kernels": "haswell"
            }

            """)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
      }
    }
  }

  @Test func thisMachineIsDescribed() {
    let environment = RunEnvironment(versions: [:], hosts: ["h"], ranks: 1, threads: 1)
    let names = environment.fields.map(\.key).filter { $0 != "commit" }
    #expect(names.prefix(3) == ["versions", "hosts", "ranks"])
    for case .integer(let value) in environment.fields.map(\.value) { #expect(value > 0) }
    guard case .string(let system)? = environment.fields.last?.value else {
      Issue.record("no system")
      return
    }
    #expect(system.hasPrefix("Linux "))
  }

  @Test func unknownAndArmProcessorsAreParsed() {
    #expect(Processor(cpuinfo: "").model == "unknown")
    #expect(
      Processor(cpuinfo: "processor : 0\nFeatures : fp asimd bf16\n::\n").features == [
        "asimd", "bf16",
      ])
  }

  @Test func failuresAreStorageErrors() {
    let environment = RunEnvironment(versions: [:], hosts: [], ranks: 1, threads: 1)
    #expect(throws: MonitoringError.self) { try environment.write(to: "/dev/null/e.json") }
  }
}
