import DataParallel
import MPI
import Monitoring
import Tensors

/// Products with a known result on every core of a run, before its first step.
enum BurnIn {
  /// The speed of a core below which it is slow, over the median of all cores.
  private static let slowest = 0.75

  /// Multiplies on all cores of all ranks at the same time for `seconds`, and warns of slow ones.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - assignment: The cores of this rank.
  /// - Throws: `WrongProducts`, on every rank, when a core computes one wrongly.
  static func run(
    seconds: Double, in precision: Precision, on assignment: Cores.Assignment,
    of world: Communicator,
    observers: RunObservers
  ) throws {
    guard seconds > 0 else { return }
    let cores = assignment.cores ?? Array(Cores.survey().allowed.prefix(assignment.threads))
    let slots = Slots(
      repeating: CoreResult(core: -1, gigaflops: 0, isRight: true), count: cores.count)
    try Cores.onEach(of: cores) { core in
      let (flops, isRight) = CoreSpeed.products(in: precision, seconds: seconds)
      guard let place = cores.firstIndex(of: core) else { return }
      slots[place] = CoreResult(core: Int64(core), gigaflops: Int64(flops / 1e9), isRight: isRight)
    }
    try world.awaitAll()
    let results = try world.allGatherV(cores.indices.flatMap { slots[$0].words })
      .map { words in stride(from: 0, to: words.count, by: 3).map { CoreResult(words[$0..<$0 + 3]) }
      }
    let hosts = try world.allGatherV(Array(try Communicator.hostName.utf8))
      .map { String(decoding: $0, as: UTF8.self) }
    if let wrong = wrong(in: results, hosts: hosts) { throw wrong }
    for sentence in slow(in: results, hosts: hosts) { try observers.event(.warning, sentence) }
  }

  /// Returns the first rank with wrong products, given the results of each rank and its host; nil
  /// without one.
  static func wrong(in results: [[CoreResult]], hosts: [String]) -> WrongProducts? {
    for (rank, results) in results.enumerated() {
      let wrong = results.filter { !$0.isRight }
      guard !wrong.isEmpty else { continue }
      return WrongProducts(
        rank: rank, host: hosts[rank], cores: wrong.map { Int($0.core) },
        isLibrary: wrong.count == results.count && results.count > 1)
    }
    return nil
  }

  /// Returns a sentence for each core that is much slower than the median.
  static func slow(in results: [[CoreResult]], hosts: [String]) -> [String] {
    let speeds = results.joined().map(\.gigaflops).sorted()
    guard !speeds.isEmpty else { return [] }
    let median = speeds[speeds.count / 2]
    return zip(results, hosts).flatMap { results, host in
      results.filter { Double($0.gigaflops) < slowest * Double(median) }.map {
        "core \($0.core) of \(host) computes \($0.gigaflops) GFLOP/s, and the median of all cores is "
          + "\(median): all ranks wait for the slowest core in every step, so end other work there, "
          + "or leave the host out"
      }
    }
  }
}

/// The result of the burn-in on a core.
struct CoreResult: Sendable {
  let core: Int64
  let gigaflops: Int64
  let isRight: Bool

  init(core: Int64, gigaflops: Int64, isRight: Bool) {
    (self.core, self.gigaflops, self.isRight) = (core, gigaflops, isRight)
  }

  init(_ words: ArraySlice<Int64>) {
    let words = Array(words)
    self.init(core: words[0], gigaflops: words[1], isRight: words[2] == 1)
  }

  var words: [Int64] { [core, gigaflops, isRight ? 1 : 0] }
}

/// A product whose result is known is wrong on some cores of a rank.
package struct WrongProducts: Error, Equatable, Sendable, CustomStringConvertible {
  package let rank: Int
  package let host: String
  package let cores: [Int]
  /// True when all cores are wrong, as with a matrix library that computes wrongly on this CPU.
  package let isLibrary: Bool

  package init(rank: Int, host: String, cores: [Int], isLibrary: Bool) {
    (self.rank, self.host, self.cores, self.isLibrary) = (rank, host, cores, isLibrary)
  }

  /// One sentence: what, where, why, what to do.
  package var description: String {
    let places = cores.map(String.init).joined(separator: ", ")
    return "rank \(rank) on \(host) computed a wrong product on "
      + (isLibrary ? "all its cores" : cores.count == 1 ? "core \(places)" : "cores \(places)")
      + " in the burn-in: "
      + (isLibrary
        ? "the matrix library computes wrongly on this CPU; run apus doctor there, which names the "
          + "setting that mends it"
        : "the core or its memory is defective; start the same command again without that host")
  }
}
