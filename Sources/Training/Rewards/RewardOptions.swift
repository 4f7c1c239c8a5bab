import Configuration

/// What the user typed about a reward model's run: the keys of every run, and its own.
public struct RewardOptions: Sendable {
  /// The keys of every run.
  public var training: TrainingOptions
  /// The model that it begins with.
  public var start: StartOptions
  /// Low-rank adaptation.
  public var adapters: AdapterOptions
  /// The pairs.
  public var data: ExampleDataOptions
  /// Factor of the squared sum of a pair's scores.
  public var centring: Double

  /// Reads every key; refuses what the keys themselves cannot mean.
  public init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    let place = try RunPlace(&reader, run: "runs/reward")
    start = try StartOptions(&reader)
    adapters = try AdapterOptions(&reader)
    data = try ExampleDataOptions(&reader, what: "preference pairs")
    try data.refuseCuts(reader, of: "an answer of a pair")
    centring = try reader.number(
      "reward.centring", default: 0.01, in: 0...100,
      help: "factor of the squared sum of a pair's scores, which keeps them around 0")
    var defaults = TrainingOptions.Defaults()
    defaults.steps = 500
    defaults.sequences = 4
    defaults.sequencesHelp = "pairs in a micro-batch"
    defaults.learningRate = 5e-5
    defaults.finalRate = 5e-6
    defaults.weightDecay = 0.01
    defaults.warmup = 25
    training = try TrainingOptions(&reader, at: place, defaults: defaults)
  }
}
