import Configuration
import Testing

/// A reader of `yaml` with the name run.yaml.
func reader(_ yaml: String, _ overrides: String...) throws -> ConfigurationReader {
  try ConfigurationReader(yaml: yaml, file: "run.yaml", overrides: overrides)
}

/// The sentence of the configuration error that `body` throws.
func sentence(
  _ location: SourceLocation = #_sourceLocation, of body: () throws -> Void
) -> String {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: location)
    return ""
  } catch let error as ConfigurationError {
    return error.description
  } catch {
    Issue.record("\(error) was thrown", sourceLocation: location)
    return ""
  }
}

enum Family: String, CaseIterable {
  case gpt2
  case llama
}

/// The options of an imaginary run, with a key of every type.
struct Options: Equatable {
  var seed: Int
  var name: String
  var family: Family
  var keyValueHeads: Int?
  var train: [String]
  var steps: Int
  var rate: Double
  var betas: [Double]
  var tied: Bool
  var temperature: Double?
  var from: String?
  var widths: [Int]
  var dropout: Double

  init(_ reader: inout ConfigurationReader) throws {
    seed = try reader.integer("seed", default: 1, help: "Seed of all random numbers.")
    name = try reader.string("run", default: "runs/trial", help: "The run folder.")
    family = try reader.choice("model.family", default: .gpt2, help: "The model family.")
    keyValueHeads = try reader.optionalInteger(
      "model.kvHeads", in: 1..., help: "Heads of keys and values.")
    train = try reader.strings("data.train", default: ["corpus/*.txt"], help: "Training files.")
    steps = try reader.integer("steps", default: 2000, in: 1..., help: "Optimizer steps.")
    rate = try reader.number(
      "optimizer.learningRate", default: 1e-3, in: 0..., unit: "1", help: "Peak learning rate.")
    betas = try reader.numbers(
      "optimizer.betas", count: 2, default: [0.9, 0.99], in: 0..<1, help: "Decay of moments.")
    tied = try reader.boolean("model.tied", default: true, help: "Share the embedding.")
    temperature = try reader.optionalNumber(
      "sample.temperature", in: Double.leastNonzeroMagnitude..., help: "Sampling temperature.")
    from = try reader.optionalString("model.from", help: "A folder to start from.")
    widths = try reader.integers("model.widths", default: [], in: 1...8192, help: "Layer widths.")
    dropout = try reader.number("model.dropout", default: 0, in: 0..<1, help: "Dropout.")
    try reader.finish()
  }
}
