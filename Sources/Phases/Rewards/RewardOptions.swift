import Configuration
import Training

/// The keys of a reward-model run.
package struct RewardOptions: PhaseOptions {
  /// The keys of every run.
  package var training: TrainingOptions
  /// The initial model.
  package var start: StartOptions
  /// LoRA adapters.
  package var adapters: AdapterOptions
  /// The preference pairs.
  package var data: ExampleDataOptions
  /// The coefficient of the squared sum of a pair's scores in the loss.
  package var centring: Double

  package var inputs: [String] { [start.from] + data.inputs }

  /// Reads every key; throws for values that are invalid by themselves or together.
  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    let runOptions = try RunOptions(&reader, run: "runs/reward")
    start = try StartOptions(&reader)
    adapters = try AdapterOptions(&reader)
    data = try ExampleDataOptions(&reader, what: "preference pairs")
    try data.refuseTruncation(reader, of: "pair")
    centring = try reader.number(
      "reward.centring", default: 0.01, in: 0...100,
      help: "coefficient of the squared sum of a pair's scores, which centres them at 0")
    var defaults = TrainingOptions.Defaults()
    defaults.steps = 500
    defaults.sequences = 4
    defaults.sequencesHelp = "pairs per micro-batch"
    defaults.learningRate = 5e-5
    defaults.weightDecay = 0.01
    defaults.warmup = 25
    training = try TrainingOptions(&reader, runOptions, defaults: defaults)
  }
}
