import Testing

@testable import Launch

extension HostReport {
  /// A host on which nothing is wrong.
  static func healthy(_ name: String = "a") -> HostReport {
    let rates = (0..<8).map { CoreRate(core: $0, flops: 1e11) }
    return HostReport(
      host: name,
      program: ProgramFacts(
        path: "/opt/apus", identity: "0.1.0 abc", mpi: "Open MPI v4.1.4", cLibrary: "2.36",
        mpirun: "/usr/bin/mpirun", mpirunVersion: "mpirun (Open MPI) 4.1.4"),
      arithmetic: ArithmeticFacts(
        level: "x86-64-v4", blas: "OpenBLAS 0.3.21", blasCore: "SkylakeX",
        bf16: "oneDNN 2.6.3 isa 3f",
        products: ["fp32", "bf16"].map { ProductFacts(precision: $0, rates: rates) }, peak: 1.3e11),
      cores: CoreFacts(present: 8),
      memory: MemoryFacts(total: 32 << 30, available: 30 << 30),
      sharedMemory: Volume(path: "/dev/shm", type: "tmpfs", size: 16 << 30, free: 16 << 30),
      temporary: Volume(path: "/tmp", type: "ext4", size: 1 << 40, free: 1 << 39),
      interfaces: [NetworkInterface("eth0", "10.0.0.1/24")].compactMap { $0 })
  }

  func with(_ change: (inout HostReport) -> Void) -> HostReport {
    var copy = self
    change(&copy)
    return copy
  }
}

/// Each defect of one host has its finding and its remedy.
@Suite struct HostFindingTests {
  /// The only finding of a host that `change` makes wrong.
  private func finding(
    under load: HostLoad = HostLoad(), _ change: (inout HostReport) -> Void
  ) throws -> Finding {
    let findings = HostReport.healthy().with(change).findings(under: load)
    try #require(findings.count == 1, "\(findings.map(\.what))")
    #expect(findings[0].hosts == ["a"])
    return findings[0]
  }

  private func expect(
    _ finding: Finding, _ severity: Finding.Severity, _ what: String, _ remedy: String
  ) {
    #expect(finding.severity == severity, "\(finding)")
    #expect(finding.what.contains(what), "\(finding.what)")
    #expect(finding.remedy.contains(remedy), "\(finding.remedy)")
    #expect(finding.lines.count == 3 && !finding.why.isEmpty)
    #expect(finding.lines.allSatisfy { !$0.contains("\n") && $0.count < 300 })
  }

  @Test func aHealthyHostHasNoFinding() {
    let host = HostReport.healthy()
    #expect(host.findings() == [])
    #expect(host.findings(under: HostLoad(ranks: 8, threads: 1)) == [])
    #expect(host.findings(under: HostLoad(ranks: 1, threads: 8)) == [])
    let lines = Diagnosis([Examination(host: "a", report: host)], findings: []).lines
    #expect(lines.count == 3 && lines[2] == "Nothing is wrong on 1 host.", "\(lines)")
  }

  // MARK: MPI

  @Test func mpirunIsThereAndOfTheLinkedMPI() throws {
    expect(
      try finding { $0.program.mpirun = nil }, .defect, "PATH has no mpirun", "openmpi-bin")
    let other = try finding { $0.program.mpirunVersion = "mpirun (Open MPI) 5.0.3" }
    expect(
      other, .defect, "mpirun is of Open MPI 5.0.3 and apus is linked to Open MPI 4.1.4", "PATH")
    let hydra = HostReport.mpirunVersion(
      of: "HYDRA build details:\n    Version:        4.0.2\n    Release Date:   2022\n")
    let family = try finding { $0.program.mpirunVersion = hydra }
    expect(family, .defect, "of MPICH 4.0.2", "put the mpirun of Open MPI 4.1.4 first")
    #expect(family.remedy.hasPrefix("update-alternatives"))
    let reverse = try finding { $0.program.mpi = "MPICH 4.0.2" }
    expect(
      reverse, .defect, "mpirun is of Open MPI 4.1.4 and apus is linked to MPICH 4.0.2", "PATH")
    let open = HostReport.mpirunVersion(of: "mpirun (Open MPI) 4.1.4\n\nReport bugs to …\n")
    #expect(open == "mpirun (Open MPI) 4.1.4" && HostReport.mpirunVersion(of: "\n") == nil)
    let contained = try finding {
      $0.program.mpirunVersion = "mpirun (Open MPI) 5.0.3"
      $0.container = "Apptainer"
    }
    expect(
      contained, .defect, "in the Apptainer container", "with the host's version")
    // A version without a known name is no reason to refuse.
    #expect(
      HostReport.healthy().with { $0.program.mpirunVersion = "mpirun 9" }.findings() == [])
  }

  @Test func slurmHasPMIx() throws {
    expect(
      try finding { $0.scheduler = .init(job: "7", types: ["none", "pmi2"]) }, .warning,
      "Slurm has no PMIx", "apus launch inside the job")
    let mpich = HostReport.healthy().with {
      ($0.program.mpi, $0.program.mpirunVersion) = ("MPICH 4.0.2", "HYDRA Version: 4.0.2")
      $0.scheduler = .init(job: "7", types: ["none", "pmix"])
    }.findings()
    #expect(mpich.map(\.what) == ["Slurm has no PMI-2 (srun --mpi=list has none, pmix)"])
    for types in [["pmi2", "pmix_v4"], nil] {
      #expect(
        HostReport.healthy().with { $0.scheduler = .init(job: "7", types: types) }.findings() == [])
    }
  }

  @Test func limitsOfTheShell() throws {
    let files = try finding {
      $0.limits = [.init(resource: "open files", option: "-n", value: 32, least: 64)]
    }
    expect(files, .defect, "(ulimit -n) is 32, and MPI needs 64", "ulimit -n 64")
    let stack = try finding {
      $0.limits = [.init(resource: "the stack", option: "-s", value: 9, least: 256 << 10)]
    }
    #expect(stack.remedy.hasPrefix("ulimit -s 256,"))
  }

  // MARK: Products

  @Test func slowKernelsOfOpenBLAS() throws {
    let set = try finding {
      $0.arithmetic.variables = ["OPENBLAS_CORETYPE": "Prescott"]
      $0.arithmetic.alternatives = ["": 4e11, "OPENBLAS_CORETYPE=SkylakeX": 4.2e11]
    }
    expect(
      set, .warning,
      "OPENBLAS_CORETYPE=Prescott: fp32 products reach 100 GFLOP/s per core, and 400",
      "unset OPENBLAS_CORETYPE")
    let both = try finding {
      $0.arithmetic.variables = ["OPENBLAS_CORETYPE": "Zen", "OPENBLAS_L2_SIZE": "1"]
      $0.arithmetic.alternatives = ["": 4e11]
    }
    #expect(both.remedy == "unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE")
    let own = try finding {
      $0.arithmetic.alternatives = ["OPENBLAS_CORETYPE=SkylakeX": 4e11]
    }
    expect(own, .warning, "OpenBLAS chose SkylakeX kernels", "export OPENBLAS_CORETYPE=SkylakeX")
    let peak = try finding { $0.arithmetic.peak = 1e12 }
    expect(peak, .warning, "10 % of its peak of 1000 GFLOP/s", "newer OpenBLAS")
    // A setting that costs nothing is the user's matter.
    let harmless = HostReport.healthy().with {
      $0.arithmetic.variables = ["OPENBLAS_CORETYPE": "SkylakeX"]
      $0.arithmetic.alternatives = ["": 1.05e11]
    }
    #expect(harmless.findings() == [])
  }

  @Test func wrongProducts() throws {
    let fp32 = try finding { $0.arithmetic.products[0].wrong = ["130×70×96"] }
    expect(
      fp32, .defect, "OpenBLAS (SkylakeX kernels) computes fp32 products wrongly: 130×70×96",
      "export OPENBLAS_CORETYPE=Haswell")
    let set = try finding {
      $0.arithmetic.products[0].wrong = ["130×70×96"]
      $0.arithmetic.variables = ["OPENBLAS_CORETYPE": "Zen"]
    }
    expect(set, .defect, "wrongly", "unset OPENBLAS_CORETYPE")
    let bf16 = try finding { $0.arithmetic.products[1].wrong = ["7×200×65"] }
    expect(bf16, .defect, "oneDNN (oneDNN 2.6.3 isa 3f) computes bf16", "--set precision=fp32")
    let all = try finding {
      for core in 0..<8 { $0.arithmetic.products[0].rates[core].isRight = false }
    }
    expect(all, .defect, "computes fp32 products wrongly: 512×512×512", "OpenBLAS")
  }

  @Test func wrongAndSlowCores() throws {
    let wrong = try finding { $0.arithmetic.products[0].rates[3].isRight = false }
    expect(wrong, .defect, "core 3 computes fp32 products wrongly", "leave the host out")
    let slow = try finding {
      for core in [2, 3, 6] {
        for place in 0..<2 { $0.arithmetic.products[place].rates[core].flops = 2e10 }
      }
    }
    expect(slow, .warning, "cores 2-3,6 reach 20 GFLOP/s in fp32 products where the median", "top")
    // In one precision alone, another program disturbed the measurement.
    let disturbed = HostReport.healthy().with {
      $0.arithmetic.products[1].rates[3].flops = 2e10
    }
    #expect(disturbed.findings() == [])
  }

  // MARK: Cores

  @Test func ranksAndThreadsFitTheCores() throws {
    let many = try finding(under: HostLoad(ranks: 4, threads: 3)) { _ in }
    expect(many, .defect, "4 ranks × 3 threads are more than 8 cores", "slots in the hostfile to 2")
    #expect(many.remedy.hasSuffix("--threads to 2"))
    let hyper = try finding(under: HostLoad(ranks: 8, threads: 1)) { $0.cores.physical = 4 }
    expect(hyper, .warning, "hyper-threads of 4 cores", "to 4")
    let nodes = try finding(under: HostLoad(ranks: 1, threads: 8)) { $0.cores.nodes = 2 }
    expect(nodes, .warning, "1 rank on 2 NUMA nodes", "slots=2 in the hostfile, with --threads 4")
    let busy = try finding { $0.cores.load = 9.5 }
    expect(busy, .warning, "9.5 processes ran here", "top")
  }

  @Test func coresOfContainersAndShells() throws {
    let quota = try finding { $0.cores.quota = 1.5 }
    expect(quota, .warning, "the time of 1.5 cores, and 8 are visible", "start 1 in all")
    let both = HostReport.healthy().with { $0.cores.quota = 2 }
      .findings(under: HostLoad(ranks: 2, threads: 4))
    #expect(both.map(\.severity).contains(.defect), "\(both)")
    let bound = try finding { $0.cores.bound = [0] }
    expect(bound, .warning, "bound to core 0, and mpirun and apus use all 8", "mpirun --cpu-set 0")
    #expect(bound.remedy.contains("taskset -pc 0-7 $$"))
  }

  // MARK: Memory

  @Test func sharedMemory() throws {
    let small = try finding { $0.sharedMemory.free = 20 << 20 }
    expect(small, .defect, "/dev/shm has 20 MiB free, and 8 ranks need 36 MiB", "remount,size=1g")
    #expect(
      HostReport.healthy().with { $0.sharedMemory.free = 20 << 20 }
        .findings(under: HostLoad(ranks: 2)) == [])
    let contained = try finding {
      $0.sharedMemory.free = 1 << 20
      $0.container = "Docker"
    }
    expect(contained, .defect, "/dev/shm has 1 MiB free", "--shm-size=1g")
    let disk = try finding { $0.sharedMemory.type = "overlay" }
    expect(disk, .warning, "/dev/shm is no memory, but overlay", "mount -t tmpfs")
    let full = try finding { $0.temporary.free = 1 << 20 }
    expect(full, .defect, "/tmp has 1 MiB free", "TMPDIR")
  }

  @Test func memory() throws {
    let little = try finding { $0.memory.available = 1 << 30 }
    expect(little, .warning, "1024 MiB of memory are free", "ps aux")
    let limited = try finding {
      $0.memory.limit = 2 << 30
      $0.memory.used = 3 << 29
    }
    expect(limited, .warning, "512 MiB of memory are free (its cgroup grants 2048 MiB)", "--mem")
    let swapping = try finding {
      $0.memory.swapUsed = 1 << 30
      $0.memory.available = 4 << 30
    }
    expect(swapping, .warning, "1024 MiB are swapped out", "swapoff")
  }

  // MARK: Leftovers

  @Test func leftovers() throws {
    let orphans = try finding {
      $0.leftovers.processes = [
        .init(id: 71, command: "apus pretrain"), .init(id: 72, command: "x"),
      ]
    }
    expect(
      orphans, .warning, "2 ranks of ended runs still live: 71 (apus pretrain)", "kill -9 71 72")
    let few = try finding { $0.leftovers.paths = ["/tmp/ompi.a.0/pid.9"] }
    expect(few, .warning, "1 leftover of Open MPI in /tmp/ompi.a.0", "rm -r /tmp/ompi.a.0/pid.9")
    let many = try finding {
      $0.leftovers.paths = (0..<9).map { "/dev/shm/vader_segment.\($0)" }
      $0.leftovers.bytes = 36 << 20
    }
    expect(
      many, .warning, "9 leftovers of Open MPI in /dev/shm, with 36 MiB", "apus doctor leftovers |")
  }

  @Test func equalFindingsOfHostsAreJoinedAndDefectsComeFirst() {
    let small = HostReport.healthy("a").with {
      $0.sharedMemory.free = 1 << 20
      $0.cores.bound = [0]
    }
    let both = ["a", "b"].map { Examination(host: $0, report: small) }
    let diagnosis = Diagnosis(both, findings: Comparison(both, network: "10.0.0.0/24").findings)
    #expect(diagnosis.findings.map(\.hosts) == [["a", "b"], ["a", "b"]])
    #expect(diagnosis.findings.map(\.severity) == [.defect, .warning])
    #expect(diagnosis.hasDefect)
    #expect(diagnosis.lines.last == "1 defect and 1 warning on 2 hosts: mend before a run.")
  }
}
