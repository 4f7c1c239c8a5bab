import Glibc

/// Threads that stay for the life of a run and do one thing together at a time.
///
/// Each may be pinned to a core. `start` hands the same body to all of them, `wait` returns when
/// the last is done; errors thrown by a body come out of `wait`, the one of the lowest thread first.
public final class WorkerPool: @unchecked Sendable {
  // Sendable: every mutable property is read and written under `condition`.

  /// The system's refusal to start another thread.
  public struct NoThread: Error, Equatable, CustomStringConvertible {
    /// Threads that were wanted.
    public let wanted: Int
    /// Threads that were started, and ended again.
    public let given: Int
    /// The system's reason, an `errno`.
    public let code: Int32

    /// One sentence: what, why, what to do.
    public var description: String {
      "The system starts only \(given) of \(wanted) threads (\(String(cString: strerror(code)))): "
        + "lower --threads, or raise the limit that ulimit -u shows."
    }
  }

  /// Number of threads.
  public let count: Int
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
  ///   - count: How many.
  ///   - cores: The core of each, or nil to leave them to the system.
  public init(count: Int, cores: [Int]? = nil) throws(NoThread) {
    precondition(count > 0, "a pool needs a thread")
    precondition(cores.map { $0.count == count } ?? true, "one core per thread")
    self.count = count
    for index in 0..<count {
      let (thread, status) = Threads.start(core: cores?[index]) { [self] in work(as: index) }
      guard status == 0 else {
        stop()
        throw NoThread(wanted: count, given: index, code: status)
      }
      threads.append(thread)
    }
  }

  /// Ends the threads; call when nothing runs.
  ///
  /// The pool cannot be used afterwards.
  public func stop() {
    condition.locked {
      isStopping = true
      condition.broadcast()
    }
    for thread in threads { pthread_join(thread, nil) }
    threads = []
  }

  /// Gives `body` to every thread and returns at once.
  public func start(_ body: @escaping @Sendable (_ thread: Int) throws -> Void) {
    condition.locked {
      precondition(running == 0, "the pool is still at work")
      self.body = body
      running = count
      errors = [:]
      generation += 1
      condition.broadcast()
    }
  }

  /// Whether nothing is at work: `wait` would return at once.
  public var isIdle: Bool { condition.locked { running == 0 } }

  /// Waits for every thread to finish what `start` gave it.
  public func wait() throws {
    let error = condition.locked { () -> (any Error)? in
      while running > 0 { condition.wait() }
      body = nil
      return errors.min { $0.key < $1.key }?.value
    }
    if let error { throw error }
  }

  /// Gives `body` to every thread and waits for all of them.
  public func run(_ body: @escaping @Sendable (_ thread: Int) throws -> Void) throws {
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

/// Threads of the system.
enum Threads {
  /// Starts one.
  ///
  /// - Parameters:
  ///   - core: Where it runs, nil to leave that to the system.
  ///   - body: What it does; the thread ends with it.
  /// - Returns: The thread, and 0 or the system's reason why there is none.
  static func start(
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

/// A lock with a condition to wait for.
final class Condition: @unchecked Sendable {
  // Sendable: it is the lock.
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

  /// Gives the lock up until somebody calls `broadcast`; call with the lock held, in a loop.
  func wait() {
    pthread_cond_wait(condition, mutex)
  }

  func broadcast() {
    pthread_cond_broadcast(condition)
  }
}
