/// A text being normalized and pre-tokenized, with the origin of every byte.
///
/// Token offsets are computed from origins, which follow those of Hugging Face tokenizers
/// (`NormalizedString`): every byte of a scalar has the same origin, the range of bytes of the
/// original that the scalar stands for; an inserted scalar takes the origin of the one before it.
struct NormalizedText: Sendable {
  /// A range of bytes of the original.
  struct Origin: Sendable, Equatable {
    let start: UInt32
    let end: UInt32
  }

  /// The representation of the origins.
  enum Origins: Sendable {
    /// No origins: the caller needs no offsets.
    case untracked
    /// The text equals the original from `offset` on.
    case identity(offset: Int)
    /// The origin of each byte.
    case table([Origin])
  }

  /// The text, valid UTF-8 unless the original was invalid and the text is unchanged.
  private(set) var bytes: [UInt8]
  private(set) var origins: Origins

  /// Creates a text of `bytes`, which begin at `offset` in the original, with origins if `tracked`.
  init(_ bytes: [UInt8], offset: Int, tracked: Bool) {
    precondition(offset + bytes.count < Int(UInt32.max), "a text of 4 GiB or more; split it")
    self.bytes = bytes
    origins = tracked ? .identity(offset: offset) : .untracked
  }

  /// Returns the range of the original from which the bytes `range` come; empty for an empty range.
  func origin(of range: Range<Int>) -> Range<Int> {
    switch origins {
    case .untracked: return range
    case .identity(let offset):
      var start = range.lowerBound
      var end = range.upperBound
      bytes.withUnsafeBufferPointer { bytes in
        // Widened to whole scalars; a byte that is not valid UTF-8 counts as one.
        start = Self.start(ofScalarHolding: start, in: bytes)
        if end > range.lowerBound {
          let last = Self.start(ofScalarHolding: end - 1, in: bytes)
          end = max(end, last + bytes.scalar(at: last).length)
        }
      }
      return offset + start..<offset + max(start, end)
    case .table(let table):
      guard !range.isEmpty else {
        let place = table.isEmpty ? 0 : Int(table[min(range.lowerBound, table.count - 1)].start)
        return place..<place
      }
      let start = Int(table[range.lowerBound].start)
      return start..<max(start, Int(table[range.upperBound - 1].end))
    }
  }

  private static func start(
    ofScalarHolding index: Int, in bytes: UnsafeBufferPointer<UInt8>
  ) -> Int {
    guard index < bytes.count, bytes[index] & 0xC0 == 0x80 else { return index }
    var start = index
    while start > 0, index - start < 3, bytes[start] & 0xC0 == 0x80 { start -= 1 }
    return start + bytes.scalar(at: start).length > index ? start : index
  }

  /// Replaces the text and its origins.
  mutating func replace(with bytes: [UInt8], origins: [Origin]?) {
    self.bytes = bytes
    if let origins { self.origins = .table(origins) }
  }

  /// Returns the origin of every byte; nil when origins are untracked.
  func table() -> [Origin]? {
    switch origins {
    case .untracked: return nil
    case .table(let table): return table
    case .identity(let offset):
      var table: [Origin] = []
      table.reserveCapacity(bytes.count)
      bytes.withUnsafeBufferPointer { bytes in
        var index = 0
        while index < bytes.count {
          let length = bytes.scalar(at: index).length
          let origin = Origin(start: UInt32(offset + index), end: UInt32(offset + index + length))
          table.append(contentsOf: repeatElement(origin, count: length))
          index += length
        }
      }
      return table
    }
  }

  /// Replaces the whole text by `changes`, which together consume every scalar of it in order.
  mutating func transform(_ changes: [ScalarChange]) {
    let old = bytes
    let table = table()
    var new: [UInt8] = []
    new.reserveCapacity(old.count)
    var origins: [Origin]? = table == nil ? nil : []
    var place = 0
    old.withUnsafeBufferPointer { old in
      for change in changes {
        if let table {
          let at = change.change > 0 ? place - 1 : place
          // A scalar inserted before the text has an empty origin.
          let origin = at < 0 ? Origin(start: 0, end: 0) : table[min(at, table.count - 1)]
          let length = new.append(scalar: change.scalar)
          origins?.append(contentsOf: repeatElement(origin, count: length))
        } else {
          new.append(scalar: change.scalar)
        }
        if change.change > 0 { continue }
        for _ in 0...(-change.change) where place < old.count {
          place += old.scalar(at: place).length
        }
      }
    }
    replace(with: new, origins: origins)
  }

  /// Keeps the scalars for which `isKept` returns true.
  mutating func filter(_ isKept: (UInt32) -> Bool) {
    edit { scalar, editor in
      if isKept(scalar) { editor.keep() }
    }
  }

  /// Rewrites the text: `visit` puts the replacement of each scalar, in order; none removes it.
  mutating func edit(_ visit: (UInt32, inout Editor) -> Void) {
    var editor = Editor(table: table(), capacity: bytes.count)
    bytes.withUnsafeBufferPointer { bytes in
      var index = 0
      while index < bytes.count {
        let read = bytes.scalar(at: index)
        editor.begin(read.value, at: index)
        visit(read.value, &editor)
        index += read.length
      }
    }
    replace(with: editor.bytes, origins: editor.origins)
  }

  /// Collects the replacements of successive scalars.
  struct Editor {
    fileprivate let table: [Origin]?
    fileprivate var bytes: [UInt8] = []
    fileprivate var origins: [Origin]?
    private var scalar: UInt32 = 0
    private var index = 0

    fileprivate init(table: [Origin]?, capacity: Int) {
      self.table = table
      bytes.reserveCapacity(capacity)
      if table != nil { origins = [] }
    }

    fileprivate mutating func begin(_ scalar: UInt32, at index: Int) {
      self.scalar = scalar
      self.index = index
    }

    mutating func keep() { put(scalar) }

    /// Replaces the scalar by `new`; further calls append scalars with the same origin.
    @inline(__always)
    mutating func put(_ new: UInt32) {
      let length = bytes.append(scalar: new)
      guard let table else { return }
      origins?.append(contentsOf: repeatElement(table[index], count: length))
    }
  }

  /// Removes the bytes outside `range`.
  mutating func trim(to range: Range<Int>) {
    if range == bytes.indices { return }
    let table = table()
    replace(with: Array(bytes[range]), origins: table.map { Array($0[range]) })
  }

  /// Returns the part `range` of the text with its origins.
  func slice(_ range: Range<Int>) -> NormalizedText {
    var part = self
    switch origins {
    case .identity(let offset):
      part = NormalizedText(Array(bytes[range]), offset: offset + range.lowerBound, tracked: true)
    case .untracked, .table: part.trim(to: range)
    }
    return part
  }

  /// Puts `prefix` before a non-empty text, with the origin of its first scalar.
  mutating func prepend(_ prefix: [UInt8]) {
    guard !bytes.isEmpty else { return }
    let table = table()
    replace(
      with: prefix + bytes,
      origins: table.map { repeatElement($0[0], count: prefix.count) + $0 })
  }

  /// Replaces each of `ranges`, in ascending order, by `content`, with the origin of the last
  /// scalar that it replaces.
  mutating func replace(_ ranges: [Range<Int>], with content: [UInt8]) {
    guard !ranges.isEmpty else { return }
    let table = table()
    var new: [UInt8] = []
    var origins: [Origin]? = table == nil ? nil : []
    var place = 0
    for range in ranges {
      new += bytes[place..<range.lowerBound]
      new += content
      if let table {
        origins? += table[place..<range.lowerBound]
        let origin = range.upperBound == 0 ? Origin(start: 0, end: 0) : table[range.upperBound - 1]
        origins? += repeatElement(origin, count: content.count)
      }
      place = range.upperBound
    }
    new += bytes[place...]
    if let table { origins? += table[place...] }
    replace(with: new, origins: origins)
  }
}
