/// The outputs of a network's modules, recorded for debugging in the order in which they are
/// computed.
///
/// A workspace without a trace does nothing for it, and one with a trace computes the same bits.
package final class Trace {
  /// One call of a module.
  package struct Entry: Sendable {
    /// The path of the module; `PATH#2` for its second call, and so on.
    package let name: String
    package let shape: [Int]
    /// Range of the elements in `values`.
    package let range: Range<Int>
  }

  package private(set) var entries: [Entry] = []
  /// The elements of all outputs, in fp32.
  package private(set) var values: [Float] = []
  private var calls: [String: Int] = [:]

  /// An empty trace.
  package init() {}

  func record(_ tensor: Tensor, path: String, shape: [Int]) {
    let call = calls[path, default: 0] + 1
    calls[path] = call
    let start = values.count
    values += tensor.values
    entries.append(
      Entry(
        name: call == 1 ? path : "\(path)#\(call)", shape: shape, range: start..<values.count))
  }
}

extension Tensor {
  /// Returns this tensor, after its workspace's trace, if there is one, has recorded it as the
  /// output of the module at `path`.
  ///
  /// - Parameter shape: The recorded shape; this tensor's by default.
  package func traced(as path: @autoclosure () -> String, shape: [Int]? = nil) -> Tensor {
    if let trace = workspace.trace {
      trace.record(self, path: path(), shape: shape ?? self.shape)
    }
    return self
  }
}
