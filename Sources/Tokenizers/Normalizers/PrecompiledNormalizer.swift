/// Precompiled: sentencepiece's character map, as Hugging Face tokenizers applies it.
///
///     size of the trie in bytes   4 bytes, little-endian
///     the trie                    a double array of 4-byte units (Yata's Darts-clone)
///     replacements                texts, each ended by a zero
///
/// A grapheme cluster of up to five bytes is replaced as a whole when the map contains a prefix of
/// it; otherwise each of its scalars is looked up separately. The map comes from an untrusted file:
/// every access to a unit or text is checked against the bounds.
struct PrecompiledNormalizer: Normalizer {
  private let units: [UInt32]
  private let texts: [UInt8]

  /// Reads the map in `bytes`; nil when they are malformed.
  init?(_ bytes: [UInt8]) {
    func unit(_ start: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
    }
    guard bytes.count >= 4 else { return nil }
    let size = Int(unit(0))
    guard size > 0, size % 4 == 0, size <= bytes.count - 4 else { return nil }
    units = stride(from: 4, to: 4 + size, by: 4).map(unit)
    texts = Array(bytes[(4 + size)...])
    guard String(validating: texts, as: UTF8.self) != nil else { return nil }
  }

  var growth: Double { Double(texts.split(separator: 0).map(\.count).max() ?? 1) }

  func normalize(_ text: inout NormalizedText) {
    var changes: [ScalarChange] = []
    changes.reserveCapacity(text.bytes.count)
    var isModified = false
    text.bytes.withUnsafeBufferPointer { bytes in
      var index = 0
      while index < bytes.count {
        let end = Self.end(ofClusterAt: index, in: bytes)
        isModified = append(bytes, index..<end, to: &changes) || isModified
        index = end
      }
    }
    if isModified { text.transform(changes) }
  }

  /// Returns the end of the grapheme cluster at `start`: directly for an ASCII scalar that another
  /// one follows, from the standard library otherwise.
  private static func end(ofClusterAt start: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Int {
    let byte = bytes[start]
    if byte < 0x80, start + 1 == bytes.count || bytes[start + 1] < 0x80 {
      let isLine = byte == 0x0D && start + 1 < bytes.count && bytes[start + 1] == 0x0A
      return start + (isLine ? 2 : 1)
    }
    // No replacement applies to a cluster that is longer than this.
    var end = min(start + 64, bytes.count)
    while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
    let piece = String(decoding: bytes[start..<end], as: UTF8.self)
    return start + (piece.first?.utf8.count ?? 1)
  }

  /// Appends the normalized form of a cluster and returns true when it differs.
  private func append(
    _ bytes: UnsafeBufferPointer<UInt8>, _ cluster: Range<Int>, to changes: inout [ScalarChange]
  ) -> Bool {
    if cluster.count < 6, let text = replacement(of: bytes, cluster) {
      append(text, for: scalarCount(bytes, cluster), to: &changes)
      return true
    }
    var isModified = false
    var index = cluster.lowerBound
    while index < cluster.upperBound {
      let read = bytes.scalar(at: index)
      if let text = replacement(of: bytes, index..<index + read.length) {
        append(text, for: 1, to: &changes)
        isModified = true
      } else {
        changes.append(ScalarChange(read.value, 0))
      }
      index += read.length
    }
    return isModified
  }

  private func scalarCount(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
    bytes[range].count { $0 & 0xC0 != 0x80 }
  }

  /// Appends the scalars of a replacement for `old` scalars.
  ///
  /// Surplus new scalars count as inserted; when there are fewer, the last one also replaces the
  /// rest. An empty replacement is absorbed by the scalar before it.
  private func append(_ text: Range<Int>, for old: Int, to changes: inout [ScalarChange]) {
    let first = changes.count
    texts.withUnsafeBufferPointer { texts in
      var index = text.lowerBound
      while index < text.upperBound {
        let read = texts.scalar(at: index)
        changes.append(ScalarChange(read.value, changes.count - first >= old ? 1 : 0))
        index += read.length
      }
    }
    let difference = changes.count - first - old
    if difference < 0, let last = changes.popLast() {
      changes.append(ScalarChange(last.scalar, last.change + difference))
    }
  }

  /// Returns the replacement of the shortest prefix of `range` that the map contains.
  private func replacement(
    of bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) -> Range<Int>? {
    guard let root = units.first else { return nil }
    var node = Self.offset(root)
    for index in range {
      let byte = bytes[index]
      node ^= Int(byte)
      guard byte != 0, node < units.count else { return nil }
      let unit = units[node]
      // The label; its high bit marks a leaf.
      guard unit & (1 << 31 | 0xFF) == UInt32(byte) else { return nil }
      node ^= Self.offset(unit)
      if unit >> 8 & 1 == 1 {
        guard node < units.count else { return nil }
        let start = Int(units[node] & (1 << 31 - 1))
        guard start <= texts.count else { return nil }
        return start..<(texts[start...].firstIndex(of: 0) ?? texts.count)
      }
    }
    return nil
  }

  private static func offset(_ unit: UInt32) -> Int {
    Int(unit >> 10) << Int((unit & 1 << 9) >> 6)
  }
}
