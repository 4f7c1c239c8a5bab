import Files
import Tensors

/// Optimizer state on disk: one file per rank, with tensors named by their place in the flat
/// buffer.
///
/// The tensor `m.4096-8192` holds the state `m` of the elements 4096 ..< 8192, so any number of
/// ranks can load the state.
package enum OptimizerFiles {
  /// State of a rank by name, for the elements that it owns.
  package struct Part: Sendable {
    /// The elements, in the order of the state.
    package let ranges: [Range<Int>]
    /// A buffer holds the ranges one after another.
    package let state: [(name: String, values: FlatBuffer)]

    package init(ranges: [Range<Int>], state: [(name: String, values: FlatBuffer)]) {
      self.ranges = ranges
      self.state = state
    }
  }

  /// Returns the name of the file of `rank` among `ranks` ranks.
  package static func name(rank: Int, of ranks: Int) -> String {
    "optimizer-\(rank.digits(5))-of-\(ranks.digits(5)).safetensors"
  }

  /// Writes one rank's state into `draft` and returns its file, which is durable when closed.
  ///
  /// - Parameter parts: The rank's state; no name may be in two parts.
  package static func write(
    _ parts: [Part], rank: Int, of ranks: Int, to draft: CheckpointDraft
  ) throws -> WrittenFile {
    var tensors: [SafeTensor] = []
    for (ranges, name, values) in parts.flatMap({ part in
      part.state.map { (part.ranges, $0.name, $0.values.elements) }
    }) {
      var place = 0
      for range in ranges {
        let piece = UnsafeBufferPointer(rebasing: values[place..<place + range.count])
        tensors.append(
          SafeTensor(
            name: "\(name).\(range.lowerBound)-\(range.upperBound)", dtype: .f32,
            shape: [range.count], bytes: UnsafeRawBufferPointer(piece)))
        place += range.count
      }
    }
    var file = try draft.file(self.name(rank: rank, of: ranks))
    try SafeTensorsWriter(tensors).write(to: &file)
    return WrittenFile(file)
  }

  /// Returns the names of the optimizer state in `checkpoint`.
  package static func stateNames(in checkpoint: Checkpoint) throws -> Set<String> {
    Set(
      try files(of: checkpoint).flatMap(\.names).compactMap { name in
        name.lastIndex(of: ".").map { String(name[..<$0]) }
      })
  }

  private static func files(of checkpoint: Checkpoint) throws -> [SafeTensorsFile] {
    try checkpoint.manifest.files.map(\.name).filter { $0.hasPrefix("optimizer-") }
      .map { try SafeTensorsFile(path: try checkpoint.path(of: $0)) }
  }

  /// Reads one rank's state from the files of any number of ranks.
  ///
  /// - Throws: `CheckpointError.otherModel` when the files do not cover the ranges.
  package static func read(
    from checkpoint: Checkpoint, ranges: [Range<Int>],
    state: [(name: String, values: UnsafeMutableBufferPointer<Float>)]
  ) throws {
    guard !state.isEmpty else { return }
    let files = try files(of: checkpoint)
    var filled = Array(repeating: 0, count: state.count)
    for file in files {
      for name in file.names {
        guard let dot = name.lastIndex(of: "."),
          let which = state.firstIndex(where: { $0.name == name[..<dot] })
        else { continue }
        let bounds = name[name.index(after: dot)...].split(separator: "-").compactMap { Int($0) }
        let tensor = try file.tensor(named: name)
        guard bounds.count == 2, bounds[0] <= bounds[1], tensor.dtype == .f32,
          tensor.shape == [bounds[1] - bounds[0]]
        else {
          throw CheckpointError.damaged(
            path: file.path, reason: "the tensor \(name) does not match the range in its name")
        }
        let saved = bounds[0]..<bounds[1]
        var place = 0
        for range in ranges {
          let part = saved.clamped(to: range)
          if !part.isEmpty {
            let source = (part.lowerBound - saved.lowerBound) * MemoryLayout<Float>.stride
            let bytes = part.count * MemoryLayout<Float>.stride
            let start = place + part.lowerBound - range.lowerBound
            UnsafeMutableRawBufferPointer(
              UnsafeMutableBufferPointer(
                rebasing: state[which].values[start..<start + part.count])
            ).copyMemory(
              from: UnsafeRawBufferPointer(rebasing: tensor.bytes[source..<source + bytes]))
            filled[which] += part.count
          }
          place += range.count
        }
      }
    }
    let wanted = ranges.reduce(0) { $0 + $1.count }
    for (which, count) in filled.enumerated() where count != wanted {
      throw CheckpointError.otherModel(
        path: checkpoint.path,
        faults: [
          "optimizer state \(state[which].name) covers \(count) of \(wanted) weights of this rank"
        ])
    }
  }
}
