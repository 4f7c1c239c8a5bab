// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
  name: "apus",
  targets: [
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .target(
      name: "CKernels",
      cSettings: [
        .unsafeFlags(["-O3", "-ffp-contract=fast", "-fno-math-errno", "-Wall", "-Wextra"])
      ]),
    .target(name: "RandomNumbers", swiftSettings: strict),
    .target(
      name: "Tensors", dependencies: ["COpenBLAS", "CKernels", "RandomNumbers"],
      swiftSettings: strict),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "RandomNumbers"]),
  ],
  swiftLanguageModes: [.v6]
)
