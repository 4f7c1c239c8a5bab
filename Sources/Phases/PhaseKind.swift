// "The keys, data, objectives and evaluators of pretraining, fine-tuning, reward modelling and alignment."

import Configuration
import Tensors
import Training

/// The phases by the names of their commands.
package enum PhaseKind: String, Sendable, CaseIterable {
  /// Self-supervised training on text.
  case pretrain
  /// Supervised fine-tuning.
  case finetune
  /// Training of a reward model on pairs.
  case reward
  /// Reinforcement learning or preference optimization.
  case align

  /// The type of the phase.
  package var type: any ConfiguredPhase.Type {
    switch self {
    case .pretrain: Pretraining.self
    case .finetune: Finetuning.self
    case .reward: RewardModelling.self
    case .align: Alignment.self
    }
  }
}

extension PhaseKind {
  /// Returns the run folder of a configuration.
  package func runFolder(in reader: ConfigurationReader) throws -> String {
    var reader = reader
    let written = try reader.optionalString("run", help: "run folder")
    let keys = try ConfigurationReader.schema { try type.readKeys(&$0) }
    return written ?? keys.first { $0.path == "run" }?.defaultValue ?? rawValue
  }

  /// The first phase with the key or section `path`.
  fileprivate static func phase(with path: String) -> String? {
    allCases.first { kind in
      let keys = try? ConfigurationReader.schema { try kind.type.readKeys(&$0) }
      return keys?.contains { $0.path == path || $0.path.hasPrefix(path + ".") } == true
    }?.rawValue
  }
}

/// The keys of a phase.
package protocol PhaseOptions: Sendable {
  /// Reads every key; throws for values that are invalid by themselves or together.
  init(_ reader: inout ConfigurationReader) throws(ConfigurationError)

  /// Files, folders and globs that must exist before the phase starts.
  var inputs: [String] { get }
}

/// A phase that is made from a configuration.
package protocol ConfiguredPhase: Phase {
  associatedtype Options: PhaseOptions

  /// Makes the phase from its keys, its initial model and its data.
  ///
  /// - Parameter bf16IsFaster: True when the CPUs of all ranks compute faster in bf16 than in fp32.
  init(_ options: Options, _ reader: ConfigurationReader, bf16IsFaster: Bool) throws

  /// Returns the mean sizes of the rows of its training data; nil where they are whole contexts.
  func rowSizes() throws -> RowSizes?

  /// Returns the phase prepared for a plan's timing; nil where preparation or steps would write files or
  /// run the user's commands.
  ///
  /// Collective.
  func preparedForTiming(_ run: RunContext) throws -> PreparedPhase?

  /// Returns the sizes of a run from its keys alone.
  static func sketch(
    _ options: Options, _ reader: ConfigurationReader, _ artifacts: PlannedArtifacts,
    bf16IsFaster: Bool
  ) throws -> PhaseSketch
}

extension ConfiguredPhase {
  package func rowSizes() -> RowSizes? { nil }

  package func preparedForTiming(_ run: RunContext) -> PreparedPhase? { nil }

  /// Makes the phase from the keys of `reader`.
  ///
  /// - Parameter bf16IsFaster: True when the CPUs of all ranks compute faster in bf16 than in fp32.
  package init(
    _ reader: inout ConfigurationReader, bf16IsFaster: Bool = MatrixLibrary.bf16IsFaster
  ) throws {
    let options = try Self.options(&reader)
    try self.init(options, reader, bf16IsFaster: bf16IsFaster)
  }

  /// Reads the keys of the phase, and refuses others.
  private static func options(_ reader: inout ConfigurationReader) throws -> Options {
    do {
      let options = try Options(&reader)
      try reader.finish()
      return options
    } catch .unknownKeys(let keys) {
      throw ConfigurationError.unknownKeys(keys.map(placed))
    } catch {
      // A required key may be missing because it has another name in the file.
      guard case .missing(_, _, similar: nil) = error else { throw error }
      let known = try ConfigurationReader.schema { _ = try Options(&$0) }.map(\.path)
      let keys = reader.unknownKeys(among: known)
      throw keys.isEmpty ? error : ConfigurationError.unknownKeys(keys.map(placed))
    }
  }

  /// Returns `key` with the phase that has it, or has the key that other trainers call so.
  private static func placed(_ key: UnknownKey) -> UnknownKey {
    var key = key
    key.otherPhase = PhaseKind.phase(with: key.path)
    if key.otherPhase == nil, let name = Spelling.key(elsewhereCalled: key.path),
      name != key.nearest
    {
      (key.otherPhase, key.otherName) = (PhaseKind.phase(with: name), name)
    }
    return key
  }

  /// Reads the keys of the phase, and refuses others.
  package static func checkKeys(_ reader: inout ConfigurationReader) throws {
    _ = try options(&reader)
  }

  /// Returns the files, folders and globs that the keys of the phase name.
  package static func inputs(_ reader: inout ConfigurationReader) throws -> [String] {
    try options(&reader).inputs
  }

  /// Reads the keys of the phase, for their schema and defaults.
  package static func readKeys(_ reader: inout ConfigurationReader) throws {
    _ = try Options(&reader)
  }

  /// Returns the sizes of a run from its keys alone.
  ///
  /// - Parameters:
  ///   - artifacts: The models and tokenizers that earlier stages will make.
  ///   - bf16IsFaster: True when the CPUs of all ranks compute faster in bf16 than in fp32.
  package static func sketch(
    _ reader: inout ConfigurationReader, _ artifacts: PlannedArtifacts, bf16IsFaster: Bool
  ) throws -> PhaseSketch {
    try sketch(options(&reader), reader, artifacts, bf16IsFaster: bf16IsFaster)
  }
}
