/// The facts about one host that `apus doctor` judges, as the host itself finds them.
///
/// It travels as one line of JSON from every host to the one that asks.
package struct HostReport: Codable, Equatable, Sendable {
  /// The host's own name.
  package var host: String
  package var program: ProgramFacts
  package var arithmetic: ArithmeticFacts
  package var cores: CoreFacts
  package var memory: MemoryFacts
  /// The file system of Open MPI's shared files, /dev/shm.
  package var sharedMemory: Volume
  /// The file system of Open MPI's session folders.
  package var temporary: Volume
  /// The limits of the shell that are too low for MPI.
  package var limits: [Limit]
  package var interfaces: [NetworkInterface]
  package var leftovers: Leftovers
  package var scheduler: Scheduler?
  /// The container around the process, such as "Docker"; nil outside one.
  package var container: String?

  package init(
    host: String, program: ProgramFacts, arithmetic: ArithmeticFacts, cores: CoreFacts,
    memory: MemoryFacts, sharedMemory: Volume, temporary: Volume, limits: [Limit] = [],
    interfaces: [NetworkInterface] = [], leftovers: Leftovers = Leftovers(),
    scheduler: Scheduler? = nil, container: String? = nil
  ) {
    self.host = host
    self.program = program
    self.arithmetic = arithmetic
    self.cores = cores
    self.memory = memory
    self.sharedMemory = sharedMemory
    self.temporary = temporary
    self.limits = limits
    self.interfaces = interfaces
    self.leftovers = leftovers
    self.scheduler = scheduler
    self.container = container
  }
}

extension HostReport {
  /// The executable, and the MPI that it is linked to and started by.
  package struct ProgramFacts: Codable, Equatable, Sendable {
    package var path: String
    /// Version and hash of the executable.
    package var identity: String
    /// The linked MPI library, such as "Open MPI v4.1.4".
    package var mpi: String
    /// The version of the C library.
    package var cLibrary: String
    /// The path of the `mpirun` that the host's PATH finds; nil without one.
    package var mpirun: String?
    /// The beginning of `mpirun --version`, with the version.
    package var mpirunVersion: String?

    package init(
      path: String, identity: String, mpi: String, cLibrary: String, mpirun: String? = nil,
      mpirunVersion: String? = nil
    ) {
      self.path = path
      self.identity = identity
      self.mpi = mpi
      self.cLibrary = cLibrary
      self.mpirun = mpirun
      self.mpirunVersion = mpirunVersion
    }
  }

  /// The matrix libraries, their kernels and their speed.
  package struct ArithmeticFacts: Codable, Equatable, Sendable {
    /// The CPU level of Apus' own kernels, such as "x86-64-v4".
    package var level: String
    /// The version of OpenBLAS.
    package var blas: String
    /// The kernels that OpenBLAS uses, by the name of their CPU.
    package var blasCore: String
    /// The version and instruction set of oneDNN, and the kernels of the skinny GEMM.
    package var bf16: String
    /// The variables in the environment that choose kernels, by name.
    package var variables: [String: String]
    package var products: [ProductFacts]
    /// FLOP/s of a core in fused multiply-adds of registers, the bound of every fp32 product.
    package var peak: Double
    /// FLOP/s of a core in fp32 products with other settings of OpenBLAS, as a shell writes them
    /// ("" is none); measured where the present ones may be slow.
    package var alternatives: [String: Double]

    package init(
      level: String, blas: String, blasCore: String, bf16: String,
      variables: [String: String] = [:], products: [ProductFacts] = [], peak: Double,
      alternatives: [String: Double] = [:]
    ) {
      self.level = level
      self.blas = blas
      self.blasCore = blasCore
      self.bf16 = bf16
      self.variables = variables
      self.products = products
      self.peak = peak
      self.alternatives = alternatives
    }

    /// The products in `precision`.
    package func products(in precision: String) -> ProductFacts? {
      products.first { $0.precision == precision }
    }
  }

  /// The matrix products in one precision.
  package struct ProductFacts: Codable, Equatable, Sendable {
    /// "fp32" or "bf16".
    package var precision: String
    /// The shapes whose product differs from a plain loop, such as "130×70×96, A transposed".
    package var wrong: [String]
    /// FLOP/s of each core while all cores compute.
    package var rates: [CoreRate]

    package init(precision: String, wrong: [String] = [], rates: [CoreRate]) {
      self.precision = precision
      self.wrong = wrong
      self.rates = rates
    }

    /// FLOP/s of the median core.
    package var median: Double {
      let sorted = rates.map(\.flops).sorted()
      return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
  }

  /// The speed of a core, and whether its products were right.
  package struct CoreRate: Codable, Equatable, Sendable {
    package var core: Int
    /// FLOP/s of the fastest product.
    package var flops: Double
    /// False when a product on this core differs from the known result.
    package var isRight: Bool

    package init(core: Int, flops: Double, isRight: Bool = true) {
      self.core = core
      self.flops = flops
      self.isRight = isRight
    }
  }

  /// The cores that a process may use.
  package struct CoreFacts: Codable, Equatable, Sendable {
    /// The name of the processor.
    package var processor: String
    /// The logical cores of the machine.
    package var present: Int
    /// The physical cores among the allowed ones.
    package var physical: Int
    /// The cores that the system grants (the cpuset).
    package var allowed: [Int]
    /// The cores that the shell is bound to.
    package var bound: [Int]
    /// The cores' time that the cgroup grants, in cores; nil without a limit.
    package var quota: Double?
    /// The NUMA nodes with allowed cores.
    package var nodes: Int
    /// The mean number of running processes in the last minute.
    package var load: Double

    package init(
      processor: String = "CPU", present: Int, physical: Int? = nil, allowed: [Int]? = nil,
      bound: [Int]? = nil, quota: Double? = nil, nodes: Int = 1, load: Double = 0
    ) {
      self.processor = processor
      self.present = present
      self.allowed = allowed ?? Array(0..<present)
      self.physical = physical ?? self.allowed.count
      self.bound = bound ?? self.allowed
      self.quota = quota
      self.nodes = nodes
      self.load = load
    }
  }

  /// Memory, in bytes.
  package struct MemoryFacts: Codable, Equatable, Sendable {
    package var total: Int
    package var available: Int
    /// What the cgroup grants; nil without a limit below `total`.
    package var limit: Int?
    /// What processes of the cgroup use of `limit`.
    package var used: Int?
    package var swapUsed: Int

    package init(
      total: Int, available: Int, limit: Int? = nil, used: Int? = nil, swapUsed: Int = 0
    ) {
      self.total = total
      self.available = available
      self.limit = limit
      self.used = used
      self.swapUsed = swapUsed
    }

    /// The bytes that new processes can get.
    package var free: Int { min(available, limit.map { max(0, $0 - (used ?? 0)) } ?? .max) }
  }

  /// A file system.
  package struct Volume: Codable, Equatable, Sendable {
    package var path: String
    /// Its type in /proc/self/mounts, such as "tmpfs".
    package var type: String
    package var size: Int
    package var free: Int

    package init(path: String, type: String, size: Int, free: Int) {
      self.path = path
      self.type = type
      self.size = size
      self.free = free
    }
  }

  /// A limit of the shell that is too low.
  package struct Limit: Codable, Equatable, Sendable {
    /// The limited resource.
    package var resource: String
    /// The option of `ulimit`.
    package var option: String
    /// The limit in the unit of `resource`.
    package var value: UInt64
    package var least: UInt64

    package init(resource: String, option: String, value: UInt64, least: UInt64) {
      self.resource = resource
      self.option = option
      self.value = value
      self.least = least
    }
  }

  /// What earlier runs of this user left behind.
  package struct Leftovers: Codable, Equatable, Sendable {
    /// Ranks whose `mpirun` has ended.
    package var processes: [OrphanProcess]
    /// Session folders and shared files of Open MPI that no process uses.
    package var paths: [String]
    /// Bytes of the shared files among them.
    package var bytes: Int

    package init(processes: [OrphanProcess] = [], paths: [String] = [], bytes: Int = 0) {
      self.processes = processes
      self.paths = paths
      self.bytes = bytes
    }
  }

  /// A process without its parent.
  package struct OrphanProcess: Codable, Equatable, Sendable {
    package var id: Int32
    package var command: String

    package init(id: Int32, command: String) {
      self.id = id
      self.command = command
    }
  }

  /// Slurm, inside one of its jobs.
  package struct Scheduler: Codable, Equatable, Sendable {
    package var job: String
    /// The types that `srun --mpi=list` prints; nil where it does not run.
    package var types: [String]?

    package init(job: String, types: [String]?) {
      self.job = job
      self.types = types
    }
  }
}
