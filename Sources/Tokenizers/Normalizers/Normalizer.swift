/// Changes a text before the pre-tokenizer splits it, such as to lower case.
protocol Normalizer: Sendable {
  /// Changes `text`, which is valid UTF-8.
  func normalize(_ text: inout NormalizedText)

  /// The largest factor by which a tokenizer's file makes it lengthen a text; 1 for a fixed mapping.
  var growth: Double { get }
}

extension Normalizer {
  var growth: Double { 1 }
}

/// Applies several normalizers in order.
struct NormalizerSequence: Normalizer {
  let normalizers: [any Normalizer]

  var growth: Double { normalizers.reduce(1) { $0 * $1.growth } }

  func normalize(_ text: inout NormalizedText) {
    for normalizer in normalizers { normalizer.normalize(&text) }
  }
}
