import MPI
import Tensors

/// Buffers of the ranks of a host, each of which all of them can read.
struct HostBuffers: Sendable {
  /// The error when a rank cannot share its buffers with the others of its host.
  struct Refusal: Error, Sendable, CustomStringConvertible {
    /// The rank.
    let rank: Int
    /// The name of its host.
    let host: String
    /// The failure and its cause, without the rank.
    let reason: String

    /// The clause of a sentence: who, where, what and why.
    var description: String { "rank \(rank) on \(host): \(reason)" }
  }

  /// The buffers by rank of the host; those of this rank are its own.
  let buffers: [[FlatBuffer]]

  /// Maps the buffers of the other ranks of the host.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - own: The buffers of this rank; their number may differ between ranks.
  ///   - isWritable: True when the ranks write into each other's buffers.
  /// - Throws: `Refusal`, on every rank of the world, when one of them cannot map a buffer.
  init(
    _ own: [FlatBuffer], _ topology: HostTopology, _ world: Communicator, isWritable: Bool = false
  ) throws {
    let size = SharedMemoryHandle.wordCount
    let missing = own.contains { $0.handle == nil && $0.elements.count > 0 }
    let words = own.flatMap { $0.handle?.words ?? [] }
    var reason = missing ? "the system gives it no shared memory" : ""
    let all = try topology.host.allGatherV(words)
    var buffers: [[FlatBuffer]] = []
    do throws(SharedMemoryRefusal) {
      for (rank, words) in all.enumerated() {
        if rank == topology.host.rank {
          buffers.append(own)
          continue
        }
        buffers.append([])
        for start in stride(from: 0, to: words.count, by: size) {
          let handle = SharedMemoryHandle(words: Array(words[start..<start + size]))
          buffers[rank].append(try FlatBuffer(mapping: handle, isWritable: isWritable))
        }
      }
    } catch {
      if reason.isEmpty { reason = error.description }
    }
    // A rank keeps its own buffers open until the others have opened them: this call orders that.
    let line = reason.isEmpty ? "" : "\(try Communicator.hostName)\n\(reason)"
    let lines = try world.allGatherV(Array(line.utf8))
    if let rank = lines.firstIndex(where: { !$0.isEmpty }) {
      let parts = String(decoding: lines[rank], as: UTF8.self).split(separator: "\n", maxSplits: 1)
      throw Refusal(
        rank: rank, host: String(parts[0]), reason: parts.count > 1 ? String(parts[1]) : "")
    }
    self.buffers = buffers
  }
}
