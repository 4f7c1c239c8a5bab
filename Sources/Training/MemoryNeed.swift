/// The bytes that training needs at least on one rank, by what they hold.
package struct MemoryNeed: Sendable, Equatable {
  /// A use of memory.
  package enum Part: String, Sendable, CaseIterable {
    case weights, gradients
    case optimizer = "optimizer state"
    case microBatch = "logits and activations of a micro-batch"

    /// The advice for less of it.
    package var remedy: String {
      switch self {
      case .weights: "choose a smaller model"
      case .gradients: "choose a smaller model, LoRA (lora.rank), or a larger batch.accumulation"
      case .optimizer: "choose a smaller model, LoRA (lora.rank), or ranks on more hosts"
      case .microBatch:
        "lower batch.sequences or model.context, or recompute more (recompute: layer)"
      }
    }
  }

  /// The bytes of each part.
  package let bytes: [Part: Int]

  package init(bytes: [Part: Int]) {
    self.bytes = bytes
  }

  /// The bytes of all parts.
  package var total: Int { bytes.values.reduce(0, +) }

  /// The part that needs most.
  package var largest: Part {
    Part.allCases.max { bytes[$0] ?? 0 < bytes[$1] ?? 0 } ?? .weights
  }

  /// The parts in MiB as a list, for a sentence.
  package var list: String {
    Part.allCases.compactMap { part in
      bytes[part].flatMap { $0 >> 20 > 0 ? "\(part.rawValue) \($0 >> 20)" : nil }
    }.joined(separator: ", ")
  }
}
