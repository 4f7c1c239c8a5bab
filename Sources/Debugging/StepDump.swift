// "Activations and gradients of one step, written and compared. Knows no run and no rank."

import Checkpoints
import Files
import Models
import Tensors

/// The activations and gradients of one step of a language model.
///
/// They are written to a safetensors file:
///
///     PATH         the output of the module at this path, in the order of the forward pass
///     loss         the mean loss, with gradients only
///     grad.NAME    the gradient of the loss, in the order of the backward pass
///
/// All tensors are fp32. Names are those of Hugging Face's modules and parameters; the logits are
/// the output of the head.
package struct StepDump {
  /// The key of the metadata, and its value, of files in the order of the passes.
  static let order = (key: "order", value: "computed")

  private let trace = Trace()
  private let layout: ParameterLayout
  private let gradients: FlatBuffer?

  /// Runs one step of the model on `batch`.
  ///
  /// - Parameters:
  ///   - configuration: The model.
  ///   - layout: The layout of its parameters.
  ///   - parameters: Their values.
  ///   - batch: The input and its targets.
  ///   - hasGradients: True to run the backward pass too.
  ///   - workspace: The worker, which has no network yet.
  package init(
    _ configuration: any ModelConfiguration, layout: ParameterLayout, parameters: FlatBuffer,
    batch: LabelledBatch, hasGradients: Bool, in workspace: Workspace
  ) {
    self.layout = layout
    let model = workspace.bind(layout, values: parameters, configuration.build)
    workspace.trace = trace
    defer { workspace.trace = nil }
    guard hasGradients else {
      gradients = nil
      _ = model.logits(batch.ids, batch.pass)
      return
    }
    let gradients = FlatBuffer(count: layout.count)
    workspace.beginGradients(into: gradients)
    let loss = workspace.recording {
      batch.loss(ofLogits: model.logits(batch.ids, batch.pass)).traced(as: "loss")
    }
    workspace.backward(from: loss) { _ in }
    self.gradients = gradients
  }

  /// Returns true when the file at `path` is one that `write(to:)` wrote.
  package static func isDump(_ path: String) -> Bool {
    (try? SafeTensorsFile(path: path))?.metadata[order.key] == order.value
  }

  /// Writes the file at `path`, and creates the missing folders above it.
  ///
  /// - Returns: The number of tensors.
  @discardableResult
  package func write(to path: String) throws -> Int {
    try FileSystem.makeFolder(FileSystem.parent(of: path))
    var file = try DurableFile(creating: path)
    let count = try trace.values.withUnsafeBytes { values in
      var tensors = trace.entries.map {
        tensor($0.name, $0.shape, $0.range, in: values)
      }
      if let gradients {
        let values = UnsafeRawBufferPointer(gradients.elements)
        tensors += layout.entries.reversed().map {
          tensor("grad.\($0.name)", $0.shape, $0.range, in: values)
        }
      }
      try SafeTensorsWriter(tensors, metadata: [Self.order.key: Self.order.value])
        .write(to: &file)
      return tensors.count
    }
    _ = try file.close()
    return count
  }

  private func tensor(
    _ name: String, _ shape: [Int], _ range: Range<Int>, in values: UnsafeRawBufferPointer
  ) -> SafeTensor {
    SafeTensor(
      name: name, dtype: .f32, shape: shape,
      bytes: UnsafeRawBufferPointer(rebasing: values[4 * range.lowerBound..<4 * range.upperBound]))
  }
}
