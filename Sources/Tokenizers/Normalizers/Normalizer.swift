/// Changes a text before the pre-tokenizer splits it, such as to lower case.
protocol Normalizer: Sendable {
  /// Changes `text`, which is valid UTF-8.
  func normalize(_ text: inout NormalizedText)
}

/// Applies several normalizers in order.
struct NormalizerSequence: Normalizer {
  let normalizers: [any Normalizer]

  func normalize(_ text: inout NormalizedText) {
    for normalizer in normalizers { normalizer.normalize(&text) }
  }
}
