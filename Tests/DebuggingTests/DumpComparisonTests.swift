import Checkpoints
import Files
import TestFolders
import Testing

@testable import Debugging

/// The comparison of two files.
@Suite struct DumpComparisonTests {
  private typealias Values = (name: String, shape: [Int], values: [Float])

  private static let step: [Values] = [
    ("model.embed", [3, 2], [1, 2, 3, 4, 5, 8]), ("model.a", [3], [1, -2, 4]),
    ("lm_head", [1, 3, 2], [0, 1, 2, 3, 4, 5]),
  ]

  private func write(_ tensors: [Values], isDump: Bool = true, to path: String) throws {
    var file = try DurableFile(creating: path)
    let all = tensors.flatMap(\.values)
    try all.withUnsafeBytes { bytes in
      var offset = 0
      let parts = tensors.map { tensor in
        defer { offset += 4 * tensor.values.count }
        return SafeTensor(
          name: tensor.name, dtype: .f32, shape: tensor.shape,
          bytes: .init(rebasing: bytes[offset..<offset + 4 * tensor.values.count]))
      }
      try SafeTensorsWriter(
        parts, metadata: isDump ? [StepDump.order.key: StepDump.order.value] : [:]
      ).write(to: &file)
    }
    _ = try file.close()
  }

  private func compare(
    _ a: [Values], _ b: [Values], areDumps: (Bool, Bool) = (true, true), tolerance: Float = 1e-5
  ) throws -> DumpComparison {
    let folder = try TemporaryFolder()
    try write(a, isDump: areDumps.0, to: folder("a"))
    try write(b, isDump: areDumps.1, to: folder("b"))
    return try DumpComparison(
      SafeTensorsFile(path: folder("a")), SafeTensorsFile(path: folder("b")), tolerance: tolerance)
  }

  @Test func equalDumpsAreWithinEveryTolerance() throws {
    let comparison = try compare(Self.step, Self.step, tolerance: 0)
    #expect(comparison.isWithin && comparison.firstOver == nil)
    #expect(comparison.rows.map(\.name) == Self.step.map(\.name))
    #expect(comparison.onlyInFirst.isEmpty && comparison.onlyInSecond.isEmpty)
  }

  @Test func aDifferenceIsFoundWithItsPlace() throws {
    var other = Self.step
    other[0].values[5] = 8.00001  // within the tolerance, relative to 8
    other[1].values[1] = -2.5
    other[2].values[3] = 3.5
    let comparison = try compare(Self.step, other)
    #expect(!comparison.isWithin)
    #expect(comparison.firstOver?.name == "model.a")
    #expect(comparison.rows.map(\.isWithin) == [true, false, false])
    #expect(
      comparison.rows[1].difference == .values(largest: 0.5, relative: 0.125, index: [1]))
    // The batch of one sequence is not part of the index.
    #expect(
      comparison.rows[2].difference == .values(largest: 0.5, relative: 0.1, index: [1, 1]))
    #expect(try compare(Self.step, other, tolerance: 0.125).isWithin)
  }

  @Test func theOrderIsThatOfTheDump() throws {
    let sorted = Self.step.sorted { $0.name < $1.name }
    for (areDumps, expected) in [
      ((true, false), sorted), ((false, true), Self.step), ((false, false), sorted),
    ] {
      let comparison = try compare(sorted, Self.step, areDumps: areDumps)
      #expect(comparison.rows.map(\.name) == expected.map(\.name))
    }
  }

  @Test func namesOfOneFileAreListedAndDoNotCount() throws {
    let comparison = try compare(
      Array(Self.step.prefix(2)), Array(Self.step.suffix(2)), tolerance: 0)
    #expect(comparison.onlyInFirst == ["model.embed"] && comparison.onlyInSecond == ["lm_head"])
    #expect(comparison.isWithin)
    // Without a common tensor nothing was compared.
    #expect(try !compare(Array(Self.step.prefix(1)), Array(Self.step.suffix(1))).isWithin)
  }

  @Test func otherShapesAreOverTheTolerance() throws {
    var other = Self.step
    other[0].shape = [2, 3]
    other[2].shape = [3, 2]  // only without the leading 1
    let comparison = try compare(Self.step, other)
    #expect(comparison.firstOver?.name == "model.embed")
    #expect(comparison.rows[0].difference == .shapes([3, 2], [2, 3]))
    #expect(comparison.rows.map(\.isWithin) == [false, true, true])
  }

  @Test(arguments: [Float.nan, .infinity]) func valuesThatAreNotFiniteAreOver(value: Float) throws {
    var other = Self.step
    other[1].values[2] = value
    let comparison = try compare(Self.step, other, tolerance: 1e30)
    #expect(
      comparison.firstOver?.difference
        == .values(largest: .infinity, relative: .infinity, index: [2]))
    if value.isNaN { #expect(try !compare(other, other).isWithin) }
  }

  /// An infinity in both files does not hide the errors of the other entries.
  @Test func equalInfinitiesDoNotHideErrors() throws {
    let a: [Values] = [("x", [3], [.infinity, 2, 1])]
    let b: [Values] = [("x", [3], [.infinity, 2, 1.5])]
    #expect(try compare(a, a, tolerance: 0).isWithin)
    #expect(
      try compare(a, b).firstOver?.difference
        == .values(largest: 0.5, relative: 0.25, index: [2]))
  }

  /// A gradient that is zero in exact arithmetic holds rounding noise.
  @Test func noiseIsComparedAbsolutely() throws {
    let a: [Values] = [("grad.bias", [2], [1e-9, 0])]
    let b: [Values] = [("grad.bias", [2], [-3e-9, 0])]
    #expect(try compare(a, b).isWithin)
    let c: [Values] = [("grad.bias", [2], [-3e-6, 0])]
    #expect(try !compare(a, c).isWithin)
  }
}
