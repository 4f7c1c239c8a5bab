/// NFC, NFD, NFKC and NFKD: Unicode's normalization forms.
struct UnicodeFormNormalizer: Normalizer {
  let form: UnicodeNormalization.Form

  func normalize(_ text: inout NormalizedText) {
    // ASCII is its own normal form.
    if text.bytes.withUnsafeBufferPointer(\.isASCII) { return }
    text.transform(UnicodeNormalization.normalize(text.bytes, to: form))
  }
}

/// Lowercase: maps each scalar separately, independent of its position in a word.
struct LowercaseNormalizer: Normalizer {
  func normalize(_ text: inout NormalizedText) {
    text.edit { scalar, editor in
      if scalar < 0x80 {
        editor.put(scalar &- 0x41 < 26 ? scalar | 0x20 : scalar)
      } else if let lower = ScalarMap.lowercase[scalar] {
        for part in lower { editor.put(part) }
      } else {
        editor.keep()
      }
    }
  }
}

/// StripAccents: removes all marks; useful after NFD.
struct StripAccentsNormalizer: Normalizer {
  func normalize(_ text: inout NormalizedText) {
    if text.bytes.withUnsafeBufferPointer(\.isASCII) { return }
    text.filter { !ScalarSet.marks.contains($0) }
  }
}

/// Nmt: the cleaning of sentencepiece's `nmt` rules, which removes control characters and replaces
/// unusual spaces by U+0020.
struct NmtNormalizer: Normalizer {
  func normalize(_ text: inout NormalizedText) {
    text.edit { scalar, editor in
      switch scalar {
      case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: break
      case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
        editor.put(0x20)
      default: editor.keep()
      }
    }
  }
}
