import ArgumentParser
import DataParallel
import Foundation
import Launch
import MPI

extension DoctorCommand {
  /// The exchange of messages that the check starts under `mpirun`.
  struct ExchangeMessages: CollectiveSubcommand {
    static let configuration = CommandConfiguration(
      commandName: "exchange",
      abstract: "Measure the connections between rank 0 and the others.", shouldDisplay: false)

    @OptionGroup var ranks: RankArguments

    var inputs: [String] { [] }

    func run(_ world: Communicator, _ workers: Cores.Assignment) throws {
      let names = try world.allGatherV(Array(Communicator.hostName.utf8))
      var links: [Link] = []
      let seconds = min(0.5, 4 / Double(world.size))
      for other in 1..<max(1, world.size) {
        try world.barrier()
        let latency = try roundTrip(world, other, bytes: 1, seconds: seconds / 2) / 2
        let bytes = 16 << 20
        let time = try roundTrip(world, other, bytes: bytes, seconds: seconds / 2) / 2
        links.append(
          Link(
            host: String(decoding: names[other], as: UTF8.self), latency: latency,
            bandwidth: Double(bytes) / max(time, 1e-9)))
      }
      if world.rank == 0 { try StandardOutput.print(json: links) }
    }

    /// Sends a message of rank 0 to `other` and back until `seconds` have passed, and returns the
    /// shortest time on rank 0; other ranks return at once.
    private func roundTrip(
      _ world: Communicator, _ other: Int, bytes: Int, seconds: Double
    ) throws -> Double {
      guard world.rank == 0 || world.rank == other else { return 0 }
      var message = [UInt8](repeating: 1, count: bytes)
      let start = ContinuousClock.now
      var best = Double.infinity
      // The last message begins with 0.
      repeat {
        let isLast = ContinuousClock.now - start > .seconds(seconds)
        if world.rank == 0 {
          message[0] = isLast ? 0 : 1
          let time = try ContinuousClock().measure { try swap(world, other, &message) }.components
          best = min(best, Double(time.seconds) + 1e-18 * Double(time.attoseconds))
        } else {
          try swap(world, 0, &message)
        }
      } while message[0] != 0
      return best
    }

    private func swap(_ world: Communicator, _ other: Int, _ message: inout [UInt8]) throws {
      try message.withUnsafeMutableBufferPointer { buffer in
        if world.rank == 0 { try world.send(UnsafeBufferPointer(buffer), to: other) }
        try world.receive(into: buffer, from: other)
        if world.rank != 0 { try world.send(UnsafeBufferPointer(buffer), to: other) }
      }
    }
  }
}
