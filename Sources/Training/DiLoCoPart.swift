import Checkpoints
import DataParallel
import MPI

extension WorkerGroups {
  /// Returns the communicator of the ranks of this rank's group.
  ///
  /// Collective over `world`.
  func group(of world: Communicator) throws(MPIError) -> Communicator {
    try world.split(color: group(ofRank: world.rank))
  }

  /// Returns the communicator of the ranks in the same place of all groups.
  ///
  /// Collective over `world`.
  func peers(of world: Communicator) throws(MPIError) -> Communicator {
    try world.split(color: world.rank % ranksPerGroup)
  }
}

/// The part of one rank in a DiLoCo run: the optimizers of its workers and its part of the outer one.
final class DiLoCoPart {
  let settings: DiLoCo
  let groups: WorkerGroups
  /// The workers that this rank computes, alone or with the rest of its group, in ascending order.
  let workers: Range<Int>
  /// The inner optimizer of each of them.
  let inner: [ShardedOptimizer]
  let outer: OuterOptimizer
  let peers: Communicator

  /// Collective.
  ///
  /// - Parameter first: The inner optimizer of the first worker.
  init(
    _ settings: DiLoCo, _ groups: WorkerGroups, first: ShardedOptimizer,
    for replicas: DataParallel<Replica>
  ) throws {
    self.settings = settings
    self.groups = groups
    let world = replicas.world
    workers = groups.workers(ofGroup: groups.group(ofRank: world.rank))
    inner = [first] + workers.dropFirst().map { _ in ShardedOptimizer(first.rule, for: replicas) }
    peers = try groups.peers(of: world)
    outer = OuterOptimizer(
      settings.outerOptimizer, learningRate: Float(settings.outerLearningRate), groups: groups,
      peers: peers, for: replicas)
  }

  /// The optimizer state of this rank by its names in a checkpoint.
  var state: [OptimizerFiles.Part] {
    zip(workers, inner).map { worker, optimizer in
      OptimizerFiles.Part(
        ranges: optimizer.ranges,
        state: zip(optimizer.rule.stateNames, optimizer.state).map {
          (DiLoCo.name($0, ofWorker: worker), $1)
        })
    } + [
      OptimizerFiles.Part(
        ranges: outer.ranges,
        state: zip(outer.rule.stateNames, outer.state).map { (DiLoCo.outerName($0), $1) })
    ]
  }
}
