import Glibc
import MPI
import Testing

/// One suite at a time on the shared world, and the same one on all ranks.
///
/// Swift Testing runs suites side by side, in an order that differs from rank to rank; collectives
/// must meet their own kind. The suites queue here, and rank 0 says whose turn it is. Within a suite,
/// `.serialized` keeps the order of the source.
public struct WorldInTurn: SuiteTrait, TestScoping {
  /// Runs a suite when its turn has come.
  public func provideScope(
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
  /// The suite calls MPI on `SharedWorld`.
  public static var worldInTurn: WorldInTurn { WorldInTurn() }
}

/// The queue in front of the shared world.
private actor Turns {
  static let shared = Turns()

  private var waiting: [(name: String, turn: CheckedContinuation<Void, Never>)] = []
  private var isTaken = false
  /// The suite that rank 0 named and that has not come yet on this rank.
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
      // Every rank has the same suites, so whoever waits here will be told a name, in time.
      called = Turns.named(by: first.name)
    }
    guard let place = waiting.firstIndex(where: { $0.name == called }) else { return }
    called = nil
    waiting.remove(at: place).turn.resume()
  }

  /// The suite that rank 0 has at the head of its queue.
  private static func named(by first: String) -> String {
    do {
      return String(
        decoding: try SharedWorld.world.broadcast(Array(first.utf8)), as: UTF8.self)
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
