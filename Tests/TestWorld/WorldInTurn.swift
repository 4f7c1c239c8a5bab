import Glibc
import MPI
import Testing

/// A trait that runs one suite at a time on the shared world, the same suite on all ranks.
///
/// Swift Testing runs suites concurrently, in an order that differs between ranks, but all ranks
/// must call the same collectives in the same order. The suites wait in a queue, and rank 0
/// broadcasts the name of the next. Within a suite, `.serialized` keeps the order of the source.
package struct WorldInTurn: SuiteTrait, TestScoping {
  /// Runs a suite when it is its turn.
  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    await Turns.shared.take("\(test.id)")
    do {
      try await function()
    } catch {
      await Turns.shared.pass()
      throw error
    }
    await Turns.shared.pass()
  }
}

extension Trait where Self == WorldInTurn {
  /// Marks a suite that calls MPI on `SharedWorld`.
  package static var worldInTurn: WorldInTurn { WorldInTurn() }
}

/// The queue of suites that wait for the shared world.
private actor Turns {
  static let shared = Turns()

  private var waiting: [(name: String, turn: CheckedContinuation<Void, Never>)] = []
  private var isTaken = false
  /// The suite that rank 0 named and that this rank has not started yet.
  private var called: String?

  func take(_ name: String) async {
    await withCheckedContinuation { turn in
      waiting.append((name, turn))
      callNext()
    }
  }

  func pass() {
    isTaken = false
    callNext()
  }

  private func callNext() {
    if !isTaken {
      guard let first = waiting.first else { return }
      isTaken = true
      // Every rank has the same suites, so a suite of each name arrives here in the end.
      called = Turns.nextSuite(first: first.name)
    }
    guard let place = waiting.firstIndex(where: { $0.name == called }) else { return }
    called = nil
    waiting.remove(at: place).turn.resume()
  }

  /// Broadcasts the first name in the queue of rank 0, and returns it on every rank.
  private static func nextSuite(first: String) -> String {
    do {
      return String(
        decoding: try SharedWorld.world.broadcast(Array(first.utf8)), as: UTF8.self)
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
