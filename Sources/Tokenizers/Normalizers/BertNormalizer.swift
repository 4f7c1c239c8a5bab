/// BERT's basic cleaning (Devlin et al., 2018) of control characters, Chinese characters, accents
/// and case.
struct BertNormalizer: Normalizer {
  let cleansText: Bool
  let separatesChinese: Bool
  let stripsAccents: Bool
  let lowercases: Bool

  func normalize(_ text: inout NormalizedText) {
    if text.bytes.withUnsafeBufferPointer(\.isASCII) { return normalizeASCII(&text) }
    if cleansText { clean(&text) }
    if separatesChinese { separateChinese(&text) }
    if stripsAccents {
      text.transform(UnicodeNormalization.normalize(text.bytes, to: .nfd))
      text.filter { !ScalarSet.nonspacing.contains($0) }
    }
    if lowercases { LowercaseNormalizer().normalize(&text) }
  }

  /// Normalizes a text of ASCII alone in one pass, with the same result.
  private func normalizeASCII(_ text: inout NormalizedText) {
    text.edit { scalar, editor in
      var scalar = scalar
      if cleansText {
        if isWhiteSpace(scalar), scalar != 0x0B, scalar != 0x0C { scalar = 0x20 }
        if scalar < 0x20 || scalar == 0x7F { return }
      }
      editor.put(lowercases && scalar &- 0x41 < 26 ? scalar | 0x20 : scalar)
    }
  }

  private func clean(_ text: inout NormalizedText) {
    text.edit { scalar, editor in
      if scalar < 0x80 {
        switch scalar {
        case 0x09, 0x0A, 0x0D: editor.put(0x20)
        case 0..<0x20, 0x7F: break
        default: editor.keep()
        }
      } else if !ScalarSet.control.contains(scalar) {
        editor.put(isWhiteSpace(scalar) ? 0x20 : scalar)
      }
    }
  }

  /// Puts a space before and after each Chinese character; the spaces take the origin of that
  /// scalar.
  private func separateChinese(_ text: inout NormalizedText) {
    text.edit { scalar, editor in
      guard scalar >= 0x80, ScalarSet.chinese.contains(scalar) else { return editor.keep() }
      editor.put(0x20)
      editor.keep()
      editor.put(0x20)
    }
  }
}
