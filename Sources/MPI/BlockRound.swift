/// One round of a chunked v-collective on its sending or its receiving side: elements `round ·
/// chunk ..< (round + 1) · chunk` of every rank's block, with the 32-bit tables of their counts and
/// displacements.
///
/// A block's displacement can exceed 2³¹ elements. The pointer therefore starts at the lowest
/// element of the round. A round that still spans more than `reach` elements goes through a packed
/// buffer of its own. That choice is local: MPI sends the same messages in both cases.
struct BlockRound<T: MPIScalar>: ~Copyable {
  /// The address that MPI reads or writes; nil when the buffer is empty and has no memory.
  let pointer: UnsafeMutablePointer<T>?
  /// The number of elements of each rank's block in this round.
  let counts: UnsafeMutablePointer<Int32>
  /// Their displacements from `pointer`.
  let offsets: UnsafeMutablePointer<Int32>
  /// True when `pointer` is a packed buffer that is copied from or to the caller's.
  let isPacked: Bool
  private let start: Int
  private let layout: BlockLayout

  /// Prepares round `round` over `buffer` and fills `tables` (2 × the number of ranks).
  init(
    _ round: Int, chunk: Int, of layout: BlockLayout, in buffer: UnsafeMutablePointer<T>?,
    reach: Int, tables: UnsafeMutablePointer<Int32>
  ) {
    self.layout = layout
    start = round * chunk
    counts = tables
    offsets = tables + layout.counts.count
    var lowest = Int.max
    var highest = 0
    for (rank, count) in layout.counts.enumerated() {
      let length = min(chunk, max(0, count - start))
      counts[rank] = Int32(length)
      guard length > 0 else { continue }
      lowest = min(lowest, layout.displacements[rank] + start)
      highest = max(highest, layout.displacements[rank] + start)
    }
    let isEmpty = lowest == Int.max
    isPacked = !isEmpty && highest - lowest > reach
    var packed = 0
    for rank in layout.counts.indices {
      let place = isPacked ? packed : layout.displacements[rank] + start - lowest
      offsets[rank] = counts[rank] == 0 ? 0 : Int32(place)
      packed += Int(counts[rank])
    }
    pointer =
      isPacked ? .allocate(capacity: packed) : isEmpty ? buffer : buffer.map { $0 + lowest }
  }

  deinit {
    if isPacked { pointer?.deallocate() }
  }

  /// Copies this round's elements from the caller's buffer if MPI reads a packed one.
  borrowing func pack(from buffer: UnsafePointer<T>?) {
    guard isPacked, let pointer, let buffer else { return }
    for (rank, displacement) in layout.displacements.enumerated() where counts[rank] > 0 {
      (pointer + Int(offsets[rank]))
        .update(from: buffer + displacement + start, count: Int(counts[rank]))
    }
  }

  /// Copies this round's elements to the caller's buffer if MPI wrote a packed one.
  borrowing func unpack(to buffer: UnsafeMutablePointer<T>?) {
    guard isPacked, let pointer, let buffer else { return }
    for (rank, displacement) in layout.displacements.enumerated() where counts[rank] > 0 {
      (buffer + displacement + start)
        .update(from: pointer + Int(offsets[rank]), count: Int(counts[rank]))
    }
  }
}
