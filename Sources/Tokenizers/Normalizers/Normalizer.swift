/// Changes a text before it is cut into words, such as to lower case.
protocol Normalizer: Sendable {
  /// Changes `text`, which is valid UTF-8.
  func normalize(_ text: inout NormalizedText)
}

/// Several normalizers, one after the other.
struct NormalizerSequence: Normalizer {
  let normalizers: [any Normalizer]

  func normalize(_ text: inout NormalizedText) {
    for normalizer in normalizers { normalizer.normalize(&text) }
  }
}
