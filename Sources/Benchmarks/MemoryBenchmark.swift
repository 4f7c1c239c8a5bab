import DataParallel
import Tensors

/// Memory bandwidth on arrays much larger than the caches: y ← a + b, 12 bytes per element, and
/// reading only.
enum MemoryBenchmark {
  static func all(_ settings: Settings) -> [Benchmark] {
    let all = settings.workers
    var measurements = [
      measurement("memory.add", "memory, a + b", all) { try sum(threads: all) }
    ]
    for count in all == 1 ? [1] : [1, all] {
      measurements.append(
        measurement("memory.read.\(count)", "memory, reading", count) {
          let memory = ReadMemory(bytes: 256 << 20, threads: count)
          return try 256 * 1.048576e-3 / memory.secondsToRead()
        })
    }
    return [
      Benchmark(
        name: "memory", summary: "memory bandwidth, adding and reading", measurements: measurements)
    ]
  }

  private static func measurement(
    _ name: String, _ title: String, _ threads: Int, _ body: @escaping @Sendable () throws -> Double
  ) -> Measurement {
    Measurement(
      name: name, title: "\(title), \(threads) thread\(threads == 1 ? "" : "s")",
      quantities: [.rate("GB/s")], source: .apus(ranks: 1) { _ in ["rate": try body()] })
  }

  private static func sum(threads: Int) throws -> Double {
    let count = 16 << 20
    return try Throughput.rate(threads: threads, amount: 12e-9 * Double(count)) { _ in
      let workspace = Workspace()
      let a = Tensor(repeating: 1, shape: [count], in: workspace)
      let b = Tensor(repeating: 2, shape: [count], in: workspace)
      return { withExtendedLifetime(workspace) { _ = a + b } }
    }
  }
}

/// A buffer of which each thread reads its part.
struct ReadMemory {
  private let buffer: FlatBuffer
  private let threads: Int

  init(bytes: Int, threads: Int) {
    buffer = FlatBuffer(count: bytes / MemoryLayout<Float>.stride)
    self.threads = threads
  }

  /// The median seconds of twenty passes over the whole buffer.
  func secondsToRead() throws -> Double {
    let pool = try WorkerPool(count: threads)
    defer { pool.stop() }
    let sums = TallySlots(count: threads)
    var seconds: [Double] = []
    for _ in 0..<21 {
      var clock = Stopwatch()
      try pool.run { [buffer, threads] thread in
        let count = buffer.elements.count
        let part = UnsafeRawBufferPointer(
          rebasing: UnsafeRawBufferPointer(buffer.elements)[
            count * thread / threads * 4..<count * (thread + 1) / threads * 4])
        sums[thread] = Tally(sum: Double(ReadMemory.sum(part)), count: 1)
      }
      seconds.append(clock.lap())
    }
    precondition((0..<threads).allSatisfy { sums[$0].sum == 0 }, "the buffer is all zeros")
    return Array(seconds.dropFirst()).median
  }

  /// The sum of the floats in `bytes`, in four independent chains, so that no addition waits for
  /// the previous one.
  private static func sum(_ bytes: UnsafeRawBufferPointer) -> Float {
    var sums = (SIMD16<Float>(), SIMD16<Float>(), SIMD16<Float>(), SIMD16<Float>())
    let stride = MemoryLayout<SIMD16<Float>>.stride
    var place = 0
    while place + 4 * stride <= bytes.count {
      sums.0 += bytes.loadUnaligned(fromByteOffset: place, as: SIMD16<Float>.self)
      sums.1 += bytes.loadUnaligned(fromByteOffset: place + stride, as: SIMD16<Float>.self)
      sums.2 += bytes.loadUnaligned(fromByteOffset: place + 2 * stride, as: SIMD16<Float>.self)
      sums.3 += bytes.loadUnaligned(fromByteOffset: place + 3 * stride, as: SIMD16<Float>.self)
      place += 4 * stride
    }
    return (sums.0 + sums.1 + sums.2 + sums.3).sum()
  }
}
