import CKernels

extension DataParallel {
  /// Returns a checksum of the bits of all weights on this rank, the same for any number of threads;
  /// the workers divide the weights.
  ///
  /// The weights are equal on all ranks, unless memory, a core or the network has changed a bit.
  package func weightsChecksum() throws -> UInt64 {
    let piece = 1 << 16
    let pieces = (layout.count + piece - 1) / piece
    let sums = Checksums(count: pieces)
    try pool.run { [parameters, count = layout.count, threads = plan.threads, workers] thread in
      guard let weights = parameters.elements.baseAddress else { return }
      let own = thread * pieces / threads..<(thread + 1) * pieces / threads
      let timeline = workers[thread].workspace.timeline
      timeline?.skip()
      workers[thread].workspace.forEach(own.count) { index, _ in
        let place = own.lowerBound + index
        sums.values[place] = apus_checksum(
          weights + place * piece, min(piece, count - place * piece))
      }
      timeline?.mark("checksum of weights", bytes: Double(own.count * piece * 4))
    }
    // FNV-1a over the words.
    return sums.values.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ $1) &* 0x100_0000_01b3 }
  }
}

/// The checksums of the pieces of a buffer.
private final class Checksums: @unchecked Sendable {
  // Sendable: workers write disjoint elements.
  let values: UnsafeMutableBufferPointer<UInt64>

  init(count: Int) {
    values = .allocate(capacity: count)
    values.initialize(repeating: 0)
  }

  deinit { values.deallocate() }
}
