import Files

extension HostReport {
  // MARK: Matrix products

  /// The environment variables with which a user chooses the kernels of OpenBLAS.
  package static let blasVariables = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"]

  /// The fraction of ``ArithmeticFacts/peak`` below which fp32 products are slow.
  package static let leastEfficiency = 0.4

  /// How much faster another setting must be to be recommended.
  private static let gain = 1.15

  var arithmeticFindings: [Finding] {
    arithmetic.products.flatMap(wrongProducts) + slowCores + slowProducts
  }

  /// The settings of OpenBLAS in the environment, as a shell writes them.
  private var settings: String {
    Self.blasVariables.compactMap { name in
      arithmetic.variables[name].map { "\(name)=\($0)" }
    }.joined(separator: " ")
  }

  private func wrongProducts(_ products: ProductFacts) -> [Finding] {
    let precision = products.precision
    let library =
      precision == "fp32"
      ? "OpenBLAS (\(arithmetic.blasCore) kernels)" : "oneDNN (\(arithmetic.bf16))"
    let everywhere = products.rates.allSatisfy { !$0.isRight } && !products.rates.isEmpty
    if !products.wrong.isEmpty || everywhere {
      let shapes = products.wrong.isEmpty ? ["512×512×512"] : products.wrong
      let other = arithmetic.alternatives.keys.filter { !$0.isEmpty }.sorted().first
      return [
        defect(
          "\(library) computes \(precision) products wrongly: "
            + shapes.prefix(3).joined(separator: "; "),
          why:
            "every loss and weight would be wrong; a library older than the CPU is the usual cause",
          remedy: precision == "bf16"
            ? "train with --set precision=fp32, or install a newer oneDNN"
            : (settings.isEmpty
              ? "export \(other ?? "OPENBLAS_CORETYPE=Haswell"), or install a newer OpenBLAS"
              : "unset \(setVariables), or install a newer OpenBLAS"))
      ]
    }
    let wrong = products.rates.filter { !$0.isRight }.map(\.core)
    if wrong.isEmpty { return [] }
    return [
      defect(
        "\(wrong.count == 1 ? "core" : "cores") \(wrong.list) "
          + "\(wrong.count == 1 ? "computes" : "compute") \(precision) products wrongly",
        why: "a defective core corrupts the weights of the whole run without a message",
        remedy: "leave the host out, and have its processor or memory replaced")
    ]
  }

  /// The cores that are slow in every precision; in one alone, another program may have disturbed
  /// the measurement.
  private var slowCores: [Finding] {
    let measured = arithmetic.products.filter { !$0.rates.isEmpty }
    let slow = cores.allowed.filter { core in
      !measured.isEmpty
        && measured.allSatisfy { products in
          products.rates.contains { $0.core == core && $0.flops < 0.7 * products.median }
        }
    }
    // The system stops the threads of a cgroup with a quota at any time.
    guard !slow.isEmpty, cores.quota.map({ $0 >= Double(cores.allowed.count) }) ?? true else {
      return []
    }
    let rates = measured[0].rates.filter { slow.contains($0.core) }.map(\.flops)
    return [
      warning(
        "\(slow.count == 1 ? "core" : "cores") \(slow.list) "
          + "\(slow.count == 1 ? "reaches" : "reach") \((rates.min() ?? 0).gigaflops) in "
          + "\(measured[0].precision) products where the median core reaches "
          + measured[0].median.gigaflops,
        why: "all ranks wait for the slowest core in every step",
        remedy: "top -1 shows what else runs there; without a cause, leave the core or host out")
    ]
  }

  /// Slow kernels of OpenBLAS, against other settings and the peak of the core.
  private var slowProducts: [Finding] {
    guard let fp32 = arithmetic.products(in: "fp32"), fp32.median > 0 else { return [] }
    let own = fp32.median
    let most = arithmetic.alternatives.values.max() ?? 0
    // No setting at all is the simplest remedy.
    if let best = arithmetic.alternatives.sorted(by: { $0.key < $1.key })
      .first(where: { $0.value * Self.gain > most }), best.value > Self.gain * own
    {
      let present = settings.isEmpty ? "OpenBLAS chose \(arithmetic.blasCore) kernels" : settings
      return [
        warning(
          "\(present): fp32 products reach \(own.gigaflops) per core, and \(best.value.gigaflops) "
            + (best.key.isEmpty ? "without it" : "with \(best.key)"),
          why: "a training step is as slow as its matrix products",
          remedy: best.key.isEmpty
            ? "unset \(setVariables)" : "export \(best.key) (mpirun -x OPENBLAS_CORETYPE)")
      ]
    }
    guard own < Self.leastEfficiency * arithmetic.peak else { return [] }
    return [
      warning(
        "fp32 products reach \(own.gigaflops) per core, "
          + "\((100 * own / arithmetic.peak).decimals(0)) % of its peak of \(arithmetic.peak.gigaflops)",
        why: "a training step is as slow as its matrix products",
        remedy:
          "end other programs (load \(cores.load.decimals(1))) and run apus doctor again; else "
          + "install a newer OpenBLAS")
    ]
  }

  private var setVariables: String {
    Self.blasVariables.filter { arithmetic.variables[$0] != nil }.joined(separator: " ")
  }

  // MARK: Cores

  func coreFindings(_ load: HostLoad) -> [Finding] {
    var findings: [Finding] = []
    let count = cores.allowed.count
    if let quota = cores.quota, quota < Double(count) {
      let threads = max(1, Int(quota))
      findings.append(
        warning(
          "the cgroup grants the time of \(quota.decimals(1)) cores, and \(count) are visible",
          why: "Apus starts a thread per visible core, and the system then stops all of them for a "
            + "part of every 100 ms",
          remedy: "start \(threads) in all (ranks × --threads), or give the container whole cores "
            + "(--cpuset-cpus=0-\(threads - 1))"))
    }
    if cores.bound.count < count {
      findings.append(
        warning(
          "the shell is bound to \(cores.bound.count == 1 ? "core" : "cores") \(cores.bound.list), "
            + "and mpirun and apus use all \(count) that the system grants",
          why: "taskset does not keep a run from the other cores",
          remedy: "mpirun --cpu-set \(cores.bound.list) limits a run; taskset -pc "
            + "\(cores.allowed.list) $$ lifts the binding"))
    }
    if let ranks = load.ranks {
      let threads = load.threads ?? 1
      let most = min(Double(count), cores.quota ?? .infinity)
      if Double(ranks * threads) > most {
        findings.append(
          defect(
            "\(ranks, "rank") × \(threads, "thread") are more than \(most.decimals(0)) "
              + (most == 1 ? "core" : "cores"),
            why: "ranks that share a core wait for each other in every exchange; apus refuses it "
              + "without --oversubscribe",
            remedy:
              "lower slots in the hostfile to \(max(1, Int(most) / threads)), or --threads to "
              + "\(max(1, Int(most) / ranks))"))
      } else if ranks * threads > cores.physical {
        findings.append(
          warning(
            "\(ranks, "rank") × \(threads, "thread") use hyper-threads of \(cores.physical, "core")",
            why:
              "two threads of one core share its multipliers, and gain nothing in matrix products",
            remedy: "lower ranks × --threads to \(cores.physical)"))
      }
      if cores.nodes > 1, ranks < cores.nodes {
        findings.append(
          warning(
            "\(ranks, "rank") on \(cores.nodes) NUMA nodes",
            why: "a rank whose cores are in two nodes reads half of its memory over the slow link "
              + "between them",
            remedy: "slots=\(cores.nodes) in the hostfile, with --threads \(count / cores.nodes)"))
      }
    }
    if cores.load > 0.5 * Double(count) + 0.5 {
      findings.append(
        warning(
          "\(cores.load.decimals(1)) processes ran here in the last minute, on \(count, "core")",
          why: "all ranks wait for the one that shares its core with another program",
          remedy: "top -b -n 1 | head -15 names them"))
    }
    return findings
  }
}

extension [Int] {
  /// The numbers as ranges, such as 0-3,8.
  var list: String {
    var ranges: [ClosedRange<Int>] = []
    for number in sorted() {
      if let last = ranges.last, last.upperBound + 1 == number {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
      .joined(separator: ",")
  }
}

extension Double {
  /// FLOP/s as text.
  var gigaflops: String { "\((self / 1e9).decimals(self < 1e10 ? 1 : 0)) GFLOP/s" }
}
