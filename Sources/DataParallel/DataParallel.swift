// "Many copies, one gradient. The only place where tensors meet messages."

import CKernels
import Faults
import MPI
import Tensors

/// The replicas of one network on all workers of all ranks, and the exact sum of their gradients.
///
/// Every rank of the world must call the methods that are documented as collective.
package final class DataParallel<Replica>: @unchecked Sendable {
  // Sendable: one thread calls it; the pools' start and wait order the accesses of their threads.

  /// The division of a step's work.
  ///
  /// It is the same on every rank except for the threads' cores.
  package struct Plan: Sendable {
    /// The number of micro-batches in a step; a power of two.
    package var microBatches: Int
    /// The number of micro-batches that are added in order to make one leaf of the summation tree;
    /// a power of two.
    package var accumulation: Int
    /// The number of workers of this rank; the same on every rank.
    package var threads: Int
    /// The number of threads that compute a worker's micro-batch together, the worker included.
    package var team: Int
    /// A core per thread, worker after worker, or nil to let the system schedule them.
    package var cores: [Int]?
    /// The order and precision in which gradients are added.
    package var reduction: GradientReduction
    /// The precision of the operands of matrix products.
    package var precision: Precision
    /// True when a row's forward pass has the same bits in every batch; see `Workspace`.
    package var isBatchInvariant: Bool
    /// The number of consecutive ranks that count as one host, the same on every rank; 1 for an
    /// exchange without shared memory.
    ///
    /// For tests and measurements; nil, the default, for the hosts that there are.
    package var ranksPerHost: Int?

    package init(
      microBatches: Int, accumulation: Int = 1, threads: Int, team: Int = 1, cores: [Int]? = nil,
      reduction: GradientReduction = .exact, precision: Precision = .fp32,
      isBatchInvariant: Bool = false, ranksPerHost: Int? = nil
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
      self.ranksPerHost = ranksPerHost
    }
  }

  /// The communicator of all ranks.
  package let world: Communicator
  /// The ranks that compute a gradient together: all of them, or with DiLoCo those of a group.
  package let group: Communicator
  /// The names of the parameters and their ranges in the flat buffer.
  package let layout: ParameterLayout
  /// All weights, in fp32, on every rank; call `parametersChanged()` after changing them.
  package let parameters: FlatBuffer
  /// The weights rounded to bf16, or nil at fp32 precision; shared by all workers of the rank.
  private let bf16Copy: BF16Buffer?
  package let plan: Plan
  let buckets: Buckets
  let workers: [Worker<Replica>]
  /// FLOPs of all matrix products of this rank's workers so far; to be read while they are idle.
  package var flops: Double { workers.reduce(0) { $0 + $1.workspace.flops } }
  private let teams: [ThreadTeam]
  let pool: WorkerPool
  private let communication: WorkerPool
  /// The profiling timelines of the communication thread and the calling thread, or nil.
  var timelines: (communication: Timeline, main: Timeline)?
  private let assignment: LeafAssignment
  private let progress: BucketProgress
  private let exchange: GradientExchange
  private let sharing: MemorySharing
  /// The gradient of a leaf of another rank; nil until the first audit.
  var auditBuffer: FlatBuffer?

  /// Builds the replicas and starts the threads.
  ///
  /// All weights are zero. Collective, unless the layout is empty.
  ///
  /// - Parameters:
  ///   - world: The communicator of all ranks.
  ///   - group: The ranks that compute a gradient together; nil for all of them.
  ///   - layout: The trainable parameters.
  ///   - frozen: The network's other parameters, if it has any, at the plan's precision.
  ///   - plan: The division of the work.
  ///   - build: Makes a worker's replica.
  /// - Throws: `WorkerPool.ThreadStartFailure`, on this rank only, when the system starts fewer threads
  ///   than the plan needs.
  package init(
    world: Communicator, group: Communicator? = nil, layout: ParameterLayout,
    frozen: FrozenParameters? = nil, plan: Plan,
    build: (Parameters) -> Replica
  ) throws {
    precondition(
      frozen.map { $0.precision == plan.precision } ?? true,
      "parameters frozen for \(frozen?.precision ?? .fp32) in a plan of \(plan.precision)")
    let group = group ?? world
    self.world = world
    self.group = group
    self.layout = layout
    self.plan = plan
    let sharing = try MemorySharing(
      group, layout.count == 0 ? 1 : plan.ranksPerHost, plan.reduction, elements: layout.count)
    let parameters = FlatBuffer(count: layout.count, isShared: sharing.isPossible)
    let assignment = LeafAssignment(
      leaves: plan.microBatches / plan.accumulation, ranks: group.size, threads: plan.threads)
    let buckets = Buckets(count: layout.count, ranks: group.size)
    let bf16Copy = plan.precision == .bf16 ? BF16Buffer(count: layout.count) : nil
    // A worker leads its team and runs on the first of the team's cores.
    let cores = plan.cores.map { cores in
      (0..<plan.threads).map { Array(cores[$0 * plan.team..<($0 + 1) * plan.team]) }
    }
    // Stop the threads that were started when the system refuses another one.
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
        layout: layout, parameters: parameters, bf16Copy: bf16Copy, frozen: frozen,
        workspace: Workspace(
          precision: plan.precision, team: teams.isEmpty ? nil : teams[$0],
          isBatchInvariant: plan.isBatchInvariant),
        run: assignment.run(rank: group.rank, thread: $0), isShared: sharing.sumsGradients,
        build: build)
    }
    workers[0].requireBuffer()
    self.parameters = parameters
    self.bf16Copy = bf16Copy
    self.assignment = assignment
    self.buckets = buckets
    self.workers = workers
    self.teams = teams
    communication = pools[0]
    pool = pools[1]
    progress = BucketProgress(
      layout: layout, buckets: buckets, workers: workers.filter { !$0.run.isEmpty }.count)
    exchange = GradientExchange(
      world: group, buckets: buckets, assignment: assignment, reduction: plan.reduction)
    self.sharing = sharing
  }

  deinit {
    pool.stop()
    communication.stop()
    for team in teams { team.stop() }
  }

  /// Returns the rank of the group that computes `microBatch`.
  package func owner(of microBatch: Int) -> Int {
    (0..<group.size).first { assignment.run(rank: $0).contains(microBatch / plan.accumulation) }
      ?? 0
  }

  /// Returns the leaves that `rank` computes.
  package func leaves(of rank: Int) -> Range<Int> { assignment.run(rank: rank) }

  /// The workers' replicas; do not use them while the workers compute.
  package var replicas: [Replica] { workers.map(\.replica) }

  /// The bytes that the memory pools of all workers of this rank took from the system, and the
  /// number of these allocations.
  package var poolUse: (bytes: Int, allocations: Int) {
    workers.reduce((0, 0)) {
      ($0.0 + $1.workspace.pool.bytesHeld, $0.1 + $1.workspace.pool.systemAllocations)
    }
  }

  /// Computes every micro-batch of this rank and sums the gradients over the ranks of the group.
  ///
  /// The exchange of finished buckets overlaps with the rest of the last backward pass.
  ///
  /// Collective. An error of `compute` is rethrown on this rank only, and the other ranks keep
  /// waiting: end them with `Communicator.abort(code:)`.
  ///
  /// - Parameters:
  ///   - leaf: A leaf of this rank whose checksum is wanted, in an exact reduction; nil for none.
  ///   - compute: Returns the loss of a micro-batch, a scalar recorded on the tape; called on the
  ///     worker's thread with its replica.
  /// - Returns: The summed gradient of the slices that this rank owns.
  package func gradient(
    auditing leaf: Int? = nil,
    _ compute:
      @escaping @Sendable (_ replica: Replica, _ workspace: Workspace, _ microBatch: Int) throws ->
      Tensor
  ) throws -> SummedGradient {
    progress.reset()
    let checksum = leaf.map { LeafChecksum(of: $0, layout) }
    var clock = Stopwatch()
    let squaredNorms = BlockSquaredNorms(count: buckets.blockCount)
    let exchangeSeconds = Seconds()
    // Read before the thread starts, while worker 0 may still switch to another buffer.
    let result = workers[0].gradient(0)
    let timeline = timelines?.communication
    communication.start { [self] _ in
      for bucket in buckets.ranges.indices {
        guard progress.wait(for: bucket) else { return }
        timeline?.skip()
        var clock = Stopwatch()
        let parts = joinWorkers(bucket)
        if bucket == 0 { reachExchange(parts) }
        exchangeSeconds.value += clock.lap()
        timeline?.mark("sum workers")
        // Sleeps until every rank has the bucket: a blocking call would spin on a worker's core.
        if group.size > 1 {
          try group.awaitAll()
          timeline?.mark("wait for ranks")
        }
        _ = clock.lap()
        if let host = try sharing.sum(of: parts, exchange.roots, buckets, group) {
          try host.sum(bucket, into: result)
          if bucket == buckets.ranges.count - 1 { try host.end() }
        } else {
          try exchange.sum(bucket, of: parts, into: result)
        }
        squaredNorms.add(buckets.slice(bucket, rank: group.rank), of: result)
        exchangeSeconds.value += clock.lap()
        timeline?.mark("sum bucket", bytes: Double(buckets.ranges[bucket].count * 4))
      }
    }
    // A failure on one worker must not leave the communication thread waiting for its buckets. That
    // thread has sent none, because a bucket is finished only after the last forward pass. The
    // other ranks wait for the first bucket until this rank's caller ends them.
    do {
      try pool.run { [self] in try computeRun(of: $0, auditing: checksum, compute) }
    } catch {
      progress.abandon()
      try? communication.wait()
      throw error
    }
    let compute = clock.lap()
    try communication.wait()
    return SummedGradient(
      buffer: result, ranges: ownedRanges, squaredNorms: squaredNorms,
      leafChecksum: checksum?.value ?? 0, secondsCompute: compute,
      secondsExchange: exchangeSeconds.value, secondsExposed: clock.lap())
  }

  /// Does the faults that tests inject into the exchange.
  private func reachExchange(_ parts: [FlatBuffer]) {
    FaultSchedule.reach(.exchange)
    guard let part = parts.first else { return }
    FaultSchedule.reach(
      .exchange, flippingIn: UnsafeMutableBufferPointer(rebasing: part.elements[buckets.ranges[0]]))
  }

  private func computeRun(
    of thread: Int, auditing checksum: LeafChecksum?,
    _ compute: (Replica, Workspace, Int) throws -> Tensor
  ) throws {
    let worker = workers[thread]
    worker.beginStep()
    worker.workspace.timeline?.skip()
    for leaf in worker.run {
      // In fast mode a worker accumulates all its leaves in one buffer.
      let isFirst = leaf == worker.run.lowerBound
      let isLast = leaf == worker.run.upperBound - 1
      if plan.reduction == .exact || isFirst { worker.beginLeaf(leaf) }
      for index in 0..<plan.accumulation {
        let workspace = worker.workspace
        let microBatch = leaf * plan.accumulation + index
        let loss = try workspace.recording { try compute(worker.replica, workspace, microBatch) }
        // In fast mode further leaves add to the same gradient.
        guard index == plan.accumulation - 1, isLast || plan.reduction == .exact else {
          workspace.backward(from: loss)
          continue
        }
        let gradient = worker.newest
        workspace.backward(from: loss) { [self] parameter in
          flipBits(of: gradient, layout.entries[parameter].range)
          if checksum?.leaf == leaf { checksum?.add(parameter, of: gradient) }
          guard isLast else { return }
          progress.complete(parameter, worker: activeIndex(of: thread)) { bucket in
            let start = Timeline.now()
            worker.joinSubtrees(buckets.ranges[bucket])
            worker.workspace.timeline?.mark("sum micro-batches", since: start)
          }
        }
      }
      if plan.reduction == .exact && !isLast {
        worker.endLeaf()
        worker.workspace.timeline?.mark("sum micro-batches")
      }
    }
  }

  /// Returns the index of a thread among the threads that have leaves.
  private func activeIndex(of thread: Int) -> Int {
    workers[..<thread].filter { !$0.run.isEmpty }.count
  }

  /// Adds the workers' gradients of one bucket: in exact mode the subtrees that are siblings in the
  /// summation tree, in fast mode all of them.
  ///
  /// - Returns: The flat buffers that hold the sums, in leaf order.
  private func joinWorkers(_ bucket: Int) -> [FlatBuffer] {
    let range = buckets.ranges[bucket]
    let gradients = workers.filter { !$0.run.isEmpty }
    if plan.reduction == .fast {
      guard let sum = gradients.first?.gradient(0) else { return [] }
      for worker in gradients.dropFirst() { sum.adding(worker.gradient(0), range) }
      return [sum]
    }
    var sum = TreeSum<FlatBuffer>()
    for worker in gradients {
      for (index, subtree) in Subtree.cover(worker.run).enumerated() {
        sum.append(worker.gradient(index), of: subtree) { $0.adding($1, range) }
      }
    }
    return sum.parts
  }

  /// Rounds the weights to the bf16 copy that matrix products read; the workers divide them.
  ///
  /// Does nothing at fp32 precision.
  package func parametersChanged() throws {
    guard let bf16Copy else { return }
    let piece = 1 << 16
    let pieces = (layout.count + piece - 1) / piece
    try pool.run { [parameters, count = layout.count, threads = plan.threads, workers] thread in
      let own = thread * pieces / threads..<(thread + 1) * pieces / threads
      workers[thread].workspace.timeline?.skip()
      workers[thread].workspace.forEach(own.count) { index, _ in
        let start = (own.lowerBound + index) * piece
        bf16Copy.round(parameters, start..<min(count, start + piece))
      }
      workers[thread].workspace.timeline?.mark(
        "weights to bf16", bytes: Double(own.count * piece * 6))
    }
  }

  /// All-gathers the weights, each of which its owner has updated, over the group.
  ///
  /// Collective.
  package func gatherParameters() throws {
    if let gather = try sharing.gather(parameters, buckets, group) { return try gather(pool) }
    for bucket in buckets.ranges.indices {
      let slices = buckets.slices(bucket)
      try group.allGatherV(
        inPlace: UnsafeMutableBufferPointer(rebasing: parameters.elements[buckets.ranges[bucket]]),
        BlockLayout(counts: slices.map(\.count), displacements: slices.map(\.lowerBound)))
    }
  }

  /// The bytes that this rank has sent to others as messages so far; those that ranks of a host read
  /// in shared memory do not count.
  package var bytesSent: Int {
    world.traffic.bytesSent + (group === world ? 0 : group.traffic.bytesSent) + sharing.bytesSent
  }

  /// Returns, once, why ranks of a host exchange messages although they could share memory, as the
  /// clause of a sentence; nil when they share it, or each has a host of its own.
  package func takeSharingRefusal() -> String? { sharing.takeRefusal() }

  /// The ranges of the flat buffer that this rank owns, in the order of its optimizer state.
  package var ownedRanges: [Range<Int>] { buckets.owned(by: group.rank) }
}
