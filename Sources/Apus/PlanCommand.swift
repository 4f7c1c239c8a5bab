import ArgumentParser
import Configuration
import DataParallel
import Files
import Launch
import MPI
import Monitoring
import Phases
import Tensors
import Training

/// `apus plan`: predicts the memory, time, traffic and energy of a run on hosts that need not exist,
/// or recommends a run for an objective.
struct PlanCommand: CollectiveSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Predict a run on several hosts, or recommend one for an objective.",
    discussion: """
      apus plan run.yaml --phase finetune --hosts 4
      apus plan --objective classify --examples 2000 --deadline 4

      A few steps on arbitrary tokens are timed on this machine, and the exchange between hosts is \
      computed from bandwidth and latency. Nothing is trained; a file beside the run folder measures \
      the disk and is deleted. A run that does not fit is refused with exit code 2.
      """)

  @Argument(help: "YAML file of the run; `apus config --phase PHASE --schema` lists its keys.")
  var file: String?

  @OptionGroup var cluster: PlannedClusterArguments

  @Option(
    help: "Phase of the run: pretrain, finetune, reward or align.",
    transform: { name in
      guard let phase = PhaseKind(rawValue: name) else {
        throw ValidationError(PhaseKind.refusal(of: name))
      }
      return phase
    })
  var phase = PhaseKind.pretrain

  @Option(
    name: .customLong("set"),
    help: "Override of a key, as in --set batch.sequences=16. Repeatable.")
  var overrides: [String] = []

  @OptionGroup var advice: AdviceArguments

  @Flag(help: "Print JSON.")
  var json = false

  /// This process alone, with all cores of the machine.
  var ranks: RankArguments {
    var ranks = RankArguments()
    (ranks.threads, ranks.oversubscribe) = (nil, false)
    return ranks
  }

  var inputs: [String] { file.map { [$0] } ?? [] }

  func validate() throws {
    if advice.objective != nil, file != nil || !overrides.isEmpty {
      throw ValidationError("--objective recommends a run: leave out the file and --set.")
    }
    if advice.objective == nil, file == nil, overrides.isEmpty {
      throw ValidationError(
        "There is nothing to plan; name the YAML file of a run, or an --objective.")
    }
  }

  func run(_ world: Communicator, _ workers: Cores.Assignment) throws {
    try world.together {
      guard world.size == 1 else {
        throw Failure.Refusal(
          "apus plan runs without mpirun: it predicts the hosts of --hosts or --hostfile; start it "
            + "alone")
      }
    }
    if let question = try advice.question(cluster, world, workers) {
      let answer = Recommendation(for: question)
      return try StandardOutput.print(json ? answer.json.text : answer.text)
    }
    let plan = try ClusterPlan(
      phase, reader: reader, cluster: cluster, world: world, cores: workers)
    try StandardOutput.print(json ? plan.json.text : plan.text)
  }

  private func reader() throws -> ConfigurationReader {
    try file.map { try ConfigurationReader(path: $0, overrides: overrides) }
      ?? ConfigurationReader(yaml: "", file: "the command line", overrides: overrides)
  }
}

extension JSONValue {
  /// The document in lines, for standard output.
  var text: String { String(decoding: indented, as: UTF8.self) }
}
