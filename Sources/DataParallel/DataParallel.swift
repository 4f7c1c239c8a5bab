// "Many copies, one gradient. The only place where tensors meet messages."

import CKernels
import MPI
import Tensors

/// The copies of one network over all workers of all ranks, and the exact sum of their gradients.
///
/// Everything here that says so is collective: every rank of the world must call it.
public final class DataParallel<Replica>: @unchecked Sendable {
  // Sendable: driven by one thread; the pools' start and wait order what their threads touch.

  /// How the work is divided; the same on every rank but for the threads' cores.
  public struct Plan: Sendable {
    /// Micro-batches in a step; a power of two.
    public var microBatches: Int
    /// Micro-batches added in order before they enter the tree; a power of two.
    public var accumulation: Int
    /// Workers of this rank; the same number on every rank.
    public var threads: Int
    /// Threads that share a worker's micro-batch, the worker included.
    public var team: Int
    /// A core per thread, worker after worker, or nil.
    public var cores: [Int]?
    /// How gradients are added.
    public var reduction: GradientReduction
    /// What products read.
    public var precision: Precision
    /// Whether a row's forward pass has the same bits in every batch; see `Workspace`.
    public var isBatchInvariant: Bool

    /// See the properties.
    public init(
      microBatches: Int, accumulation: Int = 1, threads: Int, team: Int = 1, cores: [Int]? = nil,
      reduction: GradientReduction = .exact, precision: Precision = .fp32,
      isBatchInvariant: Bool = false
    ) {
      precondition(
        microBatches > 0 && microBatches & (microBatches - 1) == 0
          && accumulation > 0 && accumulation & (accumulation - 1) == 0
          && accumulation <= microBatches,
        "\(microBatches) micro-batches by \(accumulation)")
      self.microBatches = microBatches
      self.accumulation = accumulation
      self.threads = threads
      self.team = team
      self.cores = cores
      self.reduction = reduction
      self.precision = precision
      self.isBatchInvariant = isBatchInvariant
    }
  }

  /// The ranks.
  public let world: Communicator
  /// Names and places of the parameters.
  public let layout: ParameterLayout
  /// The weights, whole on every rank; say `parametersChanged()` after changing them.
  public let parameters: FlatBuffer
  /// The weights in bf16, when products read that; shared by all workers of the rank.
  private let halves: HalfBuffer?
  /// How the work is divided.
  public let plan: Plan
  let buckets: Buckets
  let workers: [Worker<Replica>]
  private let teams: [ThreadTeam]
  let pool: WorkerPool
  private let communication: WorkerPool
  /// What the communication thread and the thread that drives this do; nil while nobody asks.
  private(set) var timelines: (communication: Timeline, main: Timeline)?
  private let assignment: LeafAssignment
  private let progress: BucketProgress
  private let exchange: GradientExchange

  /// Builds the copies.
  ///
  /// The weights are zero until somebody fills them.
  ///
  /// - Parameters:
  ///   - world: All ranks.
  ///   - layout: What is trained.
  ///   - frozen: The network's other parameters, when `layout` is the trainable one of two; made for
  ///     the plan's precision.
  ///   - plan: How the work is divided.
  ///   - build: Makes a worker's copy.
  /// - Throws: When the system gives fewer threads than the plan wants.
  public init(
    world: Communicator, layout: ParameterLayout, frozen: FrozenParameters? = nil, plan: Plan,
    build: (Parameters) -> Replica
  ) throws(WorkerPool.NoThread) {
    precondition(
      frozen.map { $0.precision == plan.precision } ?? true,
      "parameters frozen for \(frozen?.precision ?? .fp32) in a plan of \(plan.precision)")
    self.world = world
    self.layout = layout
    self.plan = plan
    let parameters = FlatBuffer(count: layout.count)
    let assignment = LeafAssignment(
      leaves: plan.microBatches / plan.accumulation, ranks: world.size, threads: plan.threads)
    let buckets = Buckets(count: layout.count, ranks: world.size)
    let halves = plan.precision == .bf16 ? HalfBuffer(count: layout.count) : nil
    // The leader is the worker itself, on the first of its cores.
    let cores = plan.cores.map { cores in
      (0..<plan.threads).map { Array(cores[$0 * plan.team..<($0 + 1) * plan.team]) }
    }
    // What was started ends again when the system refuses the next thread.
    var teams: [ThreadTeam] = []
    var pools: [WorkerPool] = []
    do {
      for worker in 0..<(plan.team > 1 ? plan.threads : 0) {
        teams.append(
          try ThreadTeam(size: plan.team, cores: cores.map { Array($0[worker].dropFirst()) }))
      }
      pools.append(try WorkerPool(count: 1))
      pools.append(try WorkerPool(count: plan.threads, cores: cores.map { $0.map { $0[0] } }))
    } catch {
      for team in teams { team.stop() }
      for pool in pools { pool.stop() }
      throw error
    }
    let workers = (0..<plan.threads).map {
      Worker(
        layout: layout, parameters: parameters, halves: halves, frozen: frozen,
        workspace: Workspace(
          precision: plan.precision, team: teams.isEmpty ? nil : teams[$0],
          isBatchInvariant: plan.isBatchInvariant),
        run: assignment.run(rank: world.rank, thread: $0), build: build)
    }
    workers[0].requireBuffer()
    self.parameters = parameters
    self.halves = halves
    self.assignment = assignment
    self.buckets = buckets
    self.workers = workers
    self.teams = teams
    communication = pools[0]
    pool = pools[1]
    progress = BucketProgress(
      layout: layout, buckets: buckets, workers: workers.filter { !$0.run.isEmpty }.count)
    exchange = GradientExchange(
      world: world, buckets: buckets, assignment: assignment, reduction: plan.reduction)
  }

  deinit {
    pool.stop()
    communication.stop()
    for team in teams { team.stop() }
  }

  /// Which rank computes `microBatch`.
  public func owner(of microBatch: Int) -> Int {
    (0..<world.size).first { assignment.run(rank: $0).contains(microBatch / plan.accumulation) }
      ?? 0
  }

  /// The workers' copies; not to be touched while they compute.
  public var replicas: [Replica] { workers.map(\.replica) }

  /// Memory that pools of all workers took from the system, and how often.
  public var poolUse: (bytes: Int, allocations: Int) {
    workers.reduce((0, 0)) {
      ($0.0 + $1.workspace.pool.bytesHeld, $0.1 + $1.workspace.pool.systemAllocations)
    }
  }

  /// Computes every micro-batch of this rank and sums the gradients over all ranks; the exchange of
  /// finished buckets runs beside the rest of the last backward pass.
  ///
  /// Collective. When `compute` throws on this rank it throws here, and the other ranks keep waiting:
  /// end them with `Communicator.abort(code:)`.
  ///
  /// - Parameter compute: The loss of a micro-batch, a scalar, recorded on the tape; called on the
  ///   worker's thread with its replica.
  /// - Returns: The summed gradient of the slices this rank owns.
  public func gradient(
    _ compute:
      @escaping @Sendable (_ replica: Replica, _ workspace: Workspace, _ microBatch: Int) throws ->
      Tensor
  ) throws -> SummedGradient {
    progress.reset()
    var clock = Stopwatch()
    let sums = BlockSums(count: buckets.blockCount)
    let exchangeSeconds = Seconds()
    // Looked up here: worker 0 may take another buffer while the communication thread begins.
    let result = FlatResult(address: workers[0].gradient(0))
    let timeline = timelines?.communication
    communication.start { [self] _ in
      guard let result = result.address else { return }
      for bucket in buckets.ranges.indices {
        guard progress.wait(for: bucket) else { return }
        timeline?.skip()
        // Sleeps until every rank has the bucket: a blocking call would spin on a worker's core.
        if world.size > 1 {
          try world.awaitAll()
          timeline?.mark("wait for ranks")
        }
        var clock = Stopwatch()
        try exchange.sum(bucket, of: joinWorkers(bucket), into: result)
        sums.add(buckets.slice(bucket, rank: world.rank), of: result)
        exchangeSeconds.value += clock.lap()
        timeline?.mark("sum bucket", bytes: Double(buckets.ranges[bucket].count * 4))
      }
    }
    // A failure on one worker must not leave the communication thread waiting for its buckets. It has
    // not sent any, for buckets are finished after the last forward pass; the other ranks wait for
    // the first one, until this one's caller ends them.
    do {
      try pool.run { [self] in try computeRun(of: $0, compute) }
    } catch {
      progress.abandon()
      try? communication.wait()
      throw error
    }
    let compute = clock.lap()
    try communication.wait()
    return SummedGradient(
      sums: sums, secondsCompute: compute, secondsExchange: exchangeSeconds.value,
      secondsExposed: clock.lap())
  }

  private func computeRun(
    of thread: Int, _ compute: (Replica, Workspace, Int) throws -> Tensor
  ) throws {
    let worker = workers[thread]
    worker.beginStep()
    worker.workspace.timeline?.skip()
    for leaf in worker.run {
      // In fast mode all leaves of a worker are added in place, as one.
      let isFirst = leaf == worker.run.lowerBound
      let isLast = leaf == worker.run.upperBound - 1
      if plan.reduction == .exact || isFirst { worker.beginLeaf(leaf) }
      for index in 0..<plan.accumulation {
        let workspace = worker.workspace
        let microBatch = leaf * plan.accumulation + index
        let loss = try workspace.recording { try compute(worker.replica, workspace, microBatch) }
        if isLast && index == plan.accumulation - 1 {
          workspace.backward(from: loss) { [self] parameter in
            progress.complete(parameter, worker: activeIndex(of: thread)) { bucket in
              let start = Timeline.now()
              worker.joinHalves(buckets.ranges[bucket])
              worker.workspace.timeline?.mark("sum micro-batches", since: start)
            }
          }
        } else {
          workspace.backward(from: loss)
        }
      }
      if plan.reduction == .exact && !isLast {
        worker.endLeaf()
        worker.workspace.timeline?.mark("sum micro-batches")
      }
    }
  }

  /// The number of a thread among those that have leaves.
  private func activeIndex(of thread: Int) -> Int {
    workers[..<thread].filter { !$0.run.isEmpty }.count
  }

  /// Adds what the workers of this rank hold of one bucket, as far as the tree (or, in fast mode,
  /// nothing) keeps them apart; the flat buffers that hold the sums.
  private func joinWorkers(_ bucket: Int) -> [UnsafeMutablePointer<Float>] {
    let range = buckets.ranges[bucket]
    var joined: [Subtree] = []
    var places: [UnsafeMutablePointer<Float>] = []
    let add = { (into: UnsafeMutablePointer<Float>, from: UnsafeMutablePointer<Float>) in
      apus_add(
        into + range.lowerBound, into + range.lowerBound, from + range.lowerBound, range.count)
    }
    for worker in workers where !worker.run.isEmpty {
      if plan.reduction == .fast {
        guard let gradient = worker.gradient(0) else { continue }
        if let first = places.first { add(first, gradient) } else { places.append(gradient) }
        continue
      }
      for (place, subtree) in Subtree.cover(worker.run).enumerated() {
        guard let gradient = worker.gradient(place) else { continue }
        places.append(gradient)
        joined.appendJoining(subtree) { into, from in
          add(places[into], places[from])
          places.removeLast()
        }
      }
    }
    return places
  }

  /// Runs `body` once per index in 0 ..< `count` over all workers of all ranks and gives every rank
  /// the totals of the tallies it returned, added in the order of the indices.
  ///
  /// For evaluation and generation: nothing is recorded. Collective.
  ///
  /// - Parameter tallies: How many tallies `body` returns, the same for every index.
  public func totals(
    count: Int, tallies: Int = 1,
    _ body:
      @escaping @Sendable (_ replica: Replica, _ workspace: Workspace, _ index: Int) throws
      -> [Tally]
  ) throws -> [Tally] {
    let lanes = world.size * plan.threads
    let results = TallySlots(count: count * tallies)
    try pool.run { [self] thread in
      let lane = world.rank * plan.threads + thread
      for index in stride(from: lane, to: count, by: lanes) {
        let own = try body(workers[thread].replica, workers[thread].workspace, index)
        precondition(own.count == tallies, "\(own.count) tallies where \(tallies) were announced")
        for (place, tally) in own.enumerated() { results[index * tallies + place] = tally }
      }
    }
    let all = try results.gathered(over: world) { ($0 / tallies % lanes) / plan.threads }
    return (0..<tallies).map { place in
      stride(from: place, to: all.count, by: tallies).map { all[$0] }.total
    }
  }

  /// Brings what products read up to date with the weights, spread over the workers.
  public func parametersChanged() throws {
    guard let halves else { return }
    let piece = 1 << 16
    let pieces = (layout.count + piece - 1) / piece
    try pool.run { [parameters, count = layout.count, threads = plan.threads, workers] thread in
      let own = thread * pieces / threads..<(thread + 1) * pieces / threads
      workers[thread].workspace.timeline?.skip()
      workers[thread].workspace.forEach(own.count) { index, _ in
        let start = (own.lowerBound + index) * piece
        halves.round(parameters, start..<min(count, start + piece))
      }
      workers[thread].workspace.timeline?.mark(
        "weights to bf16", bytes: Double(own.count * piece * 6))
    }
  }

  /// Gives every rank the weights that their owners updated.
  ///
  /// Collective.
  public func gatherParameters() throws {
    for bucket in buckets.ranges.indices {
      let slices = buckets.slices(bucket)
      try world.allGatherV(
        inPlace: UnsafeMutableBufferPointer(rebasing: parameters.elements[buckets.ranges[bucket]]),
        BlockLayout(counts: slices.map(\.count), displacements: slices.map(\.lowerBound)))
    }
  }

  /// Begins to note what every thread does; not while they compute.
  public func startTimelines() {
    for worker in workers { worker.workspace.timeline = Timeline() }
    timelines = (Timeline(), Timeline())
  }

  /// What every thread of this rank did since `startTimelines`, by the thread's name; ends the noting.
  public func takeTimelines() -> [(thread: String, spans: [Timeline.Span])] {
    guard let timelines else { return [] }
    defer {
      self.timelines = nil
      for worker in workers { worker.workspace.timeline = nil }
    }
    return workers.enumerated().map { ("worker \($0)", $1.workspace.timeline?.spans ?? []) } + [
      ("communication", timelines.communication.spans), ("main", timelines.main.spans),
    ]
  }

  /// What the thread that drives this does, while somebody asks.
  public var timeline: Timeline? { timelines?.main }

  /// The flat ranges this rank owns, in the order its optimizer state is kept.
  public var ownedRanges: [Range<Int>] { buckets.owned(by: world.rank) }

  /// The summed gradient's address; only `ownedRanges` hold sums.
  var summedGradient: UnsafeMutablePointer<Float>? { workers[0].gradient(0) }
}

/// Where the sums of this rank's slices go.
private struct FlatResult: @unchecked Sendable {
  // Sendable: the communication thread is its only user during a step.
  let address: UnsafeMutablePointer<Float>?
}
