import Glibc

/// A fixed set of threads that run one body at a time, all together.
///
/// Each thread may be pinned to a core. `start` gives the same body to all threads, and `wait`
/// returns when the last one is done. `wait` rethrows a body's error; of several errors, that of
/// the lowest thread.
package final class WorkerPool: @unchecked Sendable {
  // Sendable: every mutable property is read and written under `condition`.

  /// The error when the system refuses to start another thread.
  package struct ThreadStartFailure: Error, Equatable, CustomStringConvertible {
    /// The number of threads that were requested.
    package let wanted: Int
    /// The number of threads that were started, and have been ended again.
    package let started: Int
    /// The `errno` of the refusal.
    package let code: Int32

    package init(wanted: Int, started: Int, code: Int32) {
      self.wanted = wanted
      self.started = started
      self.code = code
    }

    /// One sentence with what, why and what to do.
    package var description: String {
      "The system starts only \(started) of \(wanted) threads "
        + "(\(String(cString: strerror(code)))): lower --threads, or raise the limit that "
        + "ulimit -u shows."
    }
  }

  /// The number of threads.
  package let count: Int
  private let condition = Condition()
  private var body: (@Sendable (Int) throws -> Void)?
  private var generation = 0
  private var running = 0
  private var isStopping = false
  private var errors: [Int: any Error] = [:]
  private var threads: [pthread_t] = []

  /// Starts the threads.
  ///
  /// - Parameters:
  ///   - count: The number of threads; at least 1.
  ///   - cores: The core of each, or nil to let the system schedule them.
  /// - Throws: `ThreadStartFailure` when the system starts fewer threads.
  package init(count: Int, cores: [Int]? = nil) throws(ThreadStartFailure) {
    precondition(count > 0, "a pool needs a thread")
    precondition(cores.map { $0.count == count } ?? true, "one core per thread")
    self.count = count
    for index in 0..<count {
      let (thread, status) = Threads.start(core: cores?[index]) { [self] in work(as: index) }
      guard status == 0 else {
        stop()
        throw ThreadStartFailure(wanted: count, started: index, code: status)
      }
      threads.append(thread)
    }
  }

  /// Ends the threads; call it only when the pool is idle.
  ///
  /// The pool cannot be used afterwards.
  package func stop() {
    condition.locked {
      isStopping = true
      condition.broadcast()
    }
    for thread in threads { pthread_join(thread, nil) }
    threads = []
  }

  /// Lets the threads end when their body has returned, and does not wait for it.
  ///
  /// The pool cannot be used afterwards.
  package func leave() {
    condition.locked {
      isStopping = true
      condition.broadcast()
    }
    for thread in threads { pthread_detach(thread) }
    threads = []
  }

  /// Starts `body` on every thread and returns at once.
  package func start(_ body: @escaping @Sendable (_ thread: Int) throws -> Void) {
    condition.locked {
      precondition(running == 0, "the pool is still running")
      self.body = body
      running = count
      errors = [:]
      generation += 1
      condition.broadcast()
    }
  }

  /// True when no thread runs a body, so that `wait` returns at once.
  package var isIdle: Bool { condition.locked { running == 0 } }

  /// Waits until every thread has finished the body of the last `start`.
  package func wait() throws {
    let error = condition.locked { () -> (any Error)? in
      while running > 0 { condition.wait() }
      body = nil
      return errors.min { $0.key < $1.key }?.value
    }
    if let error { throw error }
  }

  /// Runs `body` on every thread and waits for all of them.
  package func run(_ body: @escaping @Sendable (_ thread: Int) throws -> Void) throws {
    start(body)
    try wait()
  }

  private func work(as index: Int) {
    var done = 0
    while true {
      let next = condition.locked { () -> (@Sendable (Int) throws -> Void)? in
        while generation == done && !isStopping { condition.wait() }
        done = generation
        return isStopping ? nil : body
      }
      guard let next else { return }
      var failure: (any Error)?
      do { try next(index) } catch { failure = error }
      condition.locked {
        if let failure { errors[index] = failure }
        running -= 1
        if running == 0 { condition.broadcast() }
      }
    }
  }
}

/// POSIX threads.
package enum Threads {
  /// Starts a thread with a stack of 16 MiB.
  ///
  /// - Parameters:
  ///   - core: The core to pin it to, or nil to let the system schedule it.
  ///   - body: The thread's work; the thread ends when it returns.
  /// - Returns: The thread, and 0 or the `errno` of the failure.
  package static func start(
    core: Int?, _ body: @escaping @Sendable () -> Void
  ) -> (thread: pthread_t, status: Int32) {
    let entry = Unmanaged.passRetained(Entry(core: core, body: body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, 16 << 20)
    defer { pthread_attr_destroy(&attributes) }
    var thread = pthread_t()
    let status = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        let entry = Unmanaged<Entry>.fromOpaque(argument).takeRetainedValue()
        if let core = entry.core { Cores.pin(to: [core]) }
        entry.body()
        return nil
      }, entry.toOpaque())
    if status != 0 { entry.release() }
    return (thread, status)
  }

  private final class Entry {
    let core: Int?
    let body: @Sendable () -> Void

    init(core: Int?, body: @escaping @Sendable () -> Void) {
      self.core = core
      self.body = body
    }
  }
}

/// A mutex with a condition variable.
final class Condition: @unchecked Sendable {
  // Sendable: the type is itself a lock.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func locked<R>(_ body: () -> R) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  /// Releases the lock and waits for `broadcast`; call it with the lock held, in a loop that tests
  /// the condition.
  func wait() {
    pthread_cond_wait(condition, mutex)
  }

  func broadcast() {
    pthread_cond_broadcast(condition)
  }
}
