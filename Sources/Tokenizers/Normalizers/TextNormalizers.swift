/// Replace: substitutes a text for every match of a pattern.
struct ReplaceNormalizer: Normalizer {
  let pattern: TextPattern
  let content: [UInt8]

  var growth: Double { pattern.growth(replacedBy: content) }

  func normalize(_ text: inout NormalizedText) {
    let matches = text.bytes.withUnsafeBufferPointer { pattern.matches(in: $0) }
    text.replace(matches, with: content)
  }
}

/// Prepend: puts a prefix before every non-empty text.
struct PrependNormalizer: Normalizer {
  let content: [UInt8]

  func normalize(_ text: inout NormalizedText) {
    text.prepend(content)
  }
}

/// Strip: removes white space at the ends.
struct StripNormalizer: Normalizer {
  let left: Bool
  let right: Bool

  func normalize(_ text: inout NormalizedText) {
    let range = text.bytes.withUnsafeBufferPointer { bytes in
      var start = 0
      var end = bytes.count
      while left, start < end {
        let read = bytes.scalar(at: start)
        if !isWhiteSpace(read.value) { break }
        start += read.length
      }
      while right, end > start {
        let read = bytes.scalar(endingAt: end)
        if !isWhiteSpace(read.value) { break }
        end -= read.length
      }
      return start..<end
    }
    text.trim(to: range)
  }
}
