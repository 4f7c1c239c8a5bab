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

    /// The largest message, which is larger than the caches near a core.
    private static let most = 16 << 20

    func run(_ world: Communicator, _ workers: Cores.Assignment) throws {
      let started = ProcessInfo.processInfo.environment["OMPI_COMM_WORLD_SIZE"].flatMap { Int($0) }
      if let started, started != world.size {
        throw Failure.Refusal(
          "mpirun started \(started) ranks, and MPI knows \(world.size): the MPI of apus is not that "
            + "of mpirun, as when a container has another one than its host: build apus with the MPI "
            + "that starts it.")
      }
      let names = try world.allGatherV(Array(Communicator.hostName.utf8))
      var links: [Link] = []
      let seconds = min(0.5, 4 / Double(world.size))
      for other in 1..<max(1, world.size) {
        try world.barrier()
        guard let link = try link(world, other, seconds: seconds) else { continue }
        links.append(
          Link(
            host: String(decoding: names[other], as: UTF8.self), latency: link.latency,
            bandwidth: link.bandwidth))
      }
      if world.rank == 0 { try StandardOutput.print(json: links) }
    }

    /// Sends messages of rank 0 to `other` and back, four times as large as long as `seconds` allow;
    /// nil on the other ranks.
    private func link(
      _ world: Communicator, _ other: Int, seconds: Double
    ) throws -> (latency: Double, bandwidth: Double)? {
      guard world.rank == 0 else {
        if world.rank == other { try answer(world) }
        return nil
      }
      let latency = try roundTrip(world, other, bytes: 1, seconds: seconds / 4) / 2
      var bytes = 1 << 16
      var time = try roundTrip(world, other, bytes: bytes, seconds: 0) / 2
      while bytes < Self.most, time < seconds / 8 {
        bytes *= 4
        time = try roundTrip(world, other, bytes: bytes, seconds: seconds / 8) / 2
      }
      try send(size: 0, world, other)
      return (latency, Double(bytes) / max(time, 1e-9))
    }

    /// Returns the messages of rank 0: for each its size first, and 0 at the end.
    private func answer(_ world: Communicator) throws {
      var size: [Int64] = [0]
      while true {
        try size.withUnsafeMutableBufferPointer { _ = try world.receive(into: $0, from: 0) }
        if size[0] == 0 { return }
        var message = [UInt8](repeating: 0, count: Int(size[0]))
        try swap(world, 0, &message)
      }
    }

    private func send(size: Int, _ world: Communicator, _ other: Int) throws {
      try [Int64(size)].withUnsafeBufferPointer { try world.send($0, to: other) }
    }

    /// Returns the shortest time of a message of `bytes` to `other` and back, from one or from as many
    /// as `seconds` allow.
    private func roundTrip(
      _ world: Communicator, _ other: Int, bytes: Int, seconds: Double
    ) throws -> Double {
      var message = [UInt8](repeating: 1, count: bytes)
      let start = ContinuousClock.now
      var best = Double.infinity
      repeat {
        try send(size: bytes, world, other)
        let time = try ContinuousClock().measure { try swap(world, other, &message) }.components
        best = min(best, Double(time.seconds) + 1e-18 * Double(time.attoseconds))
      } while ContinuousClock.now - start < .seconds(seconds)
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
