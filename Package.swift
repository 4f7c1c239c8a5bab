// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Modules that are optimized in debug builds too: the tests train with them.
let optimized = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// The pkg-config name of the MPI library: `APUS_MPI=mpich swift build --scratch-path .build-mpich`.
let mpi = Context.environment["APUS_MPI"] ?? "ompi-c"

let package = Package(
  name: "apus",
  products: [
    .executable(name: "apus", targets: ["Apus"]),
    .executable(name: "apus-bench", targets: ["Benchmarks"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C libraries: header-only, linked from the system.
    .systemLibrary(
      name: "CMPI", pkgConfig: mpi,
      providers: [.apt([mpi == "mpich" ? "libmpich-dev" : "libopenmpi-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "CKernels",
      cSettings: [
        // Contraction within an expression only: with "fast" the optimizer fuses differently in the
        // whole vectors and the tail of a loop, and an element's bits depend on its place in a row.
        .unsafeFlags(["-O3", "-ffp-contract=on", "-fno-math-errno", "-Wall", "-Wextra"])
      ]),

    .target(name: "CSystem", cSettings: [.unsafeFlags(["-Wall", "-Wextra"])]),

    // Base
    .target(name: "Faults", swiftSettings: strict),
    .target(
      name: "Files", dependencies: ["CSystem", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: optimized),

    .target(name: "Processes", dependencies: ["CSystem", "Files"], swiftSettings: strict),

    // Numbers
    .target(name: "RandomNumbers", swiftSettings: optimized),
    .target(name: "Statistics", dependencies: ["RandomNumbers"], swiftSettings: optimized),
    .target(
      name: "Tensors",
      dependencies: ["COpenBLAS", "COneDNN", "CKernels", "CSystem", "Files", "RandomNumbers"],
      swiftSettings: optimized),
    .target(name: "MPI", dependencies: ["CMPI"], swiftSettings: strict),

    // Text
    .target(name: "Jinja", dependencies: ["Files"], swiftSettings: optimized),
    .target(name: "Tokenizers", dependencies: ["Files", "Jinja"], swiftSettings: optimized),
    .target(
      name: "Datasets", dependencies: ["Files", "Tokenizers", "RandomNumbers", "CZlib"],
      swiftSettings: optimized),
    .target(name: "Aviary", dependencies: ["RandomNumbers"], swiftSettings: strict),
    .target(
      name: "Annotation",
      dependencies: [
        "Datasets", "Files", "RandomNumbers", "Statistics", "Tokenizers",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: strict),

    // Models
    .target(name: "Layers", dependencies: ["Tensors", "RandomNumbers"], swiftSettings: optimized),
    .target(
      name: "Models", dependencies: ["Files", "Layers", "Tensors"], swiftSettings: optimized),
    .target(name: "Objectives", dependencies: ["Tensors"], swiftSettings: optimized),
    .target(
      name: "Generation",
      dependencies: ["CKernels", "Models", "Layers", "Tensors", "RandomNumbers"],
      swiftSettings: optimized),

    // Training
    .target(name: "Optimizers", dependencies: ["CKernels"], swiftSettings: optimized),
    .target(
      name: "DataParallel",
      dependencies: ["MPI", "Tensors", "CKernels", "CSystem", "Faults", "Optimizers"],
      swiftSettings: optimized),
    .target(
      name: "Checkpoints",
      dependencies: ["Files", "Tensors", "Models", "Tokenizers"],
      swiftSettings: optimized),
    .target(
      name: "Evaluation", dependencies: ["Datasets", "Layers", "Models", "Statistics", "Tensors"],
      swiftSettings: strict),
    .target(
      name: "Debugging", dependencies: ["Checkpoints", "Files", "Layers", "Models", "Tensors"],
      swiftSettings: strict),
    .target(
      name: "Training",
      dependencies: [
        "Checkpoints", "Configuration", "DataParallel", "Datasets", "Faults", "Files", "Layers",
        "MPI", "Models", "Monitoring", "Objectives", "Optimizers", "RandomNumbers", "Tensors",
        "Tokenizers",
      ],
      swiftSettings: optimized),
    .target(
      name: "Phases",
      dependencies: [
        "Checkpoints", "Configuration", "DataParallel", "Datasets", "Evaluation",
        "Files", "Generation", "Layers", "MPI", "Models", "Monitoring", "Objectives",
        "Processes", "RandomNumbers", "Statistics", "Tensors", "Tokenizers", "Training",
      ],
      swiftSettings: strict),

    // Use
    .target(
      name: "Configuration", dependencies: ["Files", .product(name: "Yams", package: "Yams")],
      swiftSettings: strict),
    .target(name: "Monitoring", dependencies: ["Files"], swiftSettings: strict),
    .target(
      name: "Launch", dependencies: ["Files", "Monitoring", "Processes"], swiftSettings: strict),
    .target(name: "Recipes", dependencies: ["Configuration", "Files"], swiftSettings: strict),
    .executableTarget(
      name: "Apus",
      dependencies: [
        "Annotation", "Aviary", "Checkpoints", "Configuration", "DataParallel", "Datasets",
        "Debugging", "Faults", "Files", "Generation", "Launch", "Layers", "MPI", "Models",
        "Monitoring", "Phases", "Recipes", "Tensors", "Tokenizers", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    .executableTarget(
      name: "Benchmarks",
      dependencies: [
        "Aviary", "Configuration", "DataParallel", "Datasets", "Generation", "Layers", "MPI",
        "Models", "Monitoring", "Phases", "RandomNumbers", "Tensors", "Tokenizers", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["Peers", "RESULTS.md", "TRIED.md"],
      swiftSettings: strict),

    // Tests
    .target(name: "TestFolders", path: "Tests/TestFolders"),
    .target(name: "TestWorld", dependencies: ["MPI"], path: "Tests/TestWorld"),
    .testTarget(name: "FaultsTests", dependencies: ["Faults"]),
    .testTarget(name: "FilesTests", dependencies: ["Files", "TestFolders"]),
    .testTarget(name: "RandomNumbersTests", dependencies: ["RandomNumbers"]),
    .testTarget(name: "StatisticsTests", dependencies: ["Statistics"], exclude: ["Goldens"]),
    .testTarget(
      name: "TensorsTests", dependencies: ["CKernels", "Monitoring", "Tensors", "RandomNumbers"],
      exclude: ["Goldens"]),
    .testTarget(name: "MPITests", dependencies: ["MPI", "RandomNumbers", "TestWorld"]),
    .testTarget(name: "JinjaTests", dependencies: ["Jinja"], exclude: ["Goldens"]),
    .testTarget(
      name: "TokenizersTests", dependencies: ["Files", "Tokenizers", "RandomNumbers"],
      exclude: ["Goldens"]),
    .testTarget(
      name: "DatasetsTests",
      dependencies: ["Datasets", "Files", "Tokenizers", "RandomNumbers", "CZlib"],
      exclude: ["Goldens"]),
    .testTarget(
      name: "AnnotationTests",
      dependencies: ["Annotation", "Tokenizers", .product(name: "GRDB", package: "GRDB.swift")]),
    .testTarget(name: "AviaryTests", dependencies: ["Aviary", "RandomNumbers"]),
    .testTarget(
      name: "ModelsTests",
      dependencies: [
        "Checkpoints", "Files", "Layers", "Models", "Optimizers", "Tensors", "TestFolders",
        "Tokenizers",
      ],
      exclude: ["Goldens"]),
    .testTarget(
      name: "ObjectivesTests", dependencies: ["Objectives", "Tensors"],
      exclude: ["Goldens"]),
    .testTarget(
      name: "GenerationTests",
      dependencies: ["Checkpoints", "Generation", "Models", "Layers", "Tensors"]),
    .testTarget(name: "OptimizersTests", dependencies: ["Optimizers", "RandomNumbers"]),
    .testTarget(
      name: "DataParallelTests",
      dependencies: [
        "DataParallel", "MPI", "Optimizers", "RandomNumbers", "Tensors", "TestWorld",
      ]),
    .testTarget(
      name: "CheckpointsTests",
      dependencies: ["Checkpoints", "Files", "RandomNumbers", "TestFolders"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Checkpoints", "Configuration", "DataParallel", "Datasets", "Faults", "Files", "MPI",
        "Models", "Monitoring", "Objectives", "Phases", "Tensors", "TestWorld", "Tokenizers",
        "Training",
      ], exclude: ["Goldens"]),
    .testTarget(
      name: "PhasesTests",
      dependencies: [
        "Configuration", "Datasets", "Generation", "Phases", "TestWorld", "Tokenizers",
      ]),
    .testTarget(
      name: "DebuggingTests",
      dependencies: [
        "Checkpoints", "Debugging", "Files", "Layers", "Models", "Tensors", "TestFolders",
      ]),
    .testTarget(name: "EvaluationTests", dependencies: ["Evaluation"]),
    .testTarget(name: "ConfigurationTests", dependencies: ["Configuration", "RandomNumbers"]),
    .testTarget(name: "BenchmarksTests", dependencies: ["Benchmarks", "Tokenizers"]),
    .testTarget(name: "MonitoringTests", dependencies: ["Files", "Monitoring"]),
    .testTarget(name: "LaunchTests", dependencies: ["Files", "Launch", "TestFolders"]),
    .testTarget(name: "RecipesTests", dependencies: ["Configuration", "Recipes"]),
    .testTarget(
      name: "ApusTests",
      dependencies: [
        "Annotation", "Apus", "Checkpoints", "Configuration", "DataParallel", "Datasets", "Faults",
        "Files", "Launch", "Monitoring", "Phases", "Tensors", "Tokenizers", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
