/// One recorded operation: what came out, what went in, and how a derivative goes back.
struct TapeEntry {
  let output: Variable
  let inputs: [Variable]
  let backward: (_ dy: Tensor) -> Void
}

extension Tensor {
  /// The result of an operation on `inputs`, on the tape if a derivative can flow through it.
  ///
  /// `backward` gets the derivative of the result and adds to the inputs' derivatives through
  /// `accumulate`; it is never called when the result took no part in the final value.
  func recorded(from inputs: Tensor?..., backward: @escaping (_ dy: Tensor) -> Void) -> Tensor {
    guard workspace.isRecording else { return self }
    let tracked = inputs.compactMap { $0?.variable }
    guard !tracked.isEmpty else { return self }
    for variable in tracked { variable.pendingUses += 1 }
    let output = Variable()
    workspace.tape.append(TapeEntry(output: output, inputs: tracked, backward: backward))
    return Tensor(shape: shape, type: type, storage: storage, offset: offset, variable: output)
  }
}

extension Workspace {
  /// Sends the derivative of `result` back to everything it was made of, newest operation first,
  /// and clears the tape.
  ///
  /// - Parameters:
  ///   - result: A scalar that was computed while recording.
  ///   - onParameterComplete: Called with a parameter's index in the layout as soon as its gradient
  ///     is final; parameters that took no part are zero-filled and reported at the end. Pass nil
  ///     when more contributions will follow.
  public func backward(from result: Tensor, onParameterComplete: ((Int) -> Void)? = nil) {
    precondition(result.count == 1, "backward needs a scalar, not shape \(result.shape)")
    result.variable?.accumulate(adopting: Tensor(repeating: 1, shape: [], in: self))
    while let entry = tape.popLast() {
      if let dy = entry.output.takeGradient() { entry.backward(dy) }
      for input in entry.inputs {
        input.pendingUses -= 1
        if let parameter = input.parameter, input.pendingUses == 0, let onParameterComplete {
          finish(parameter, onParameterComplete)
        }
      }
    }
    if let onParameterComplete {
      for variable in parameters where !variable.isComplete {
        if let parameter = variable.parameter { finish(parameter, onParameterComplete) }
      }
    }
  }

  private func finish(_ parameter: ParameterSlot, _ onComplete: (Int) -> Void) {
    let variable = parameters[parameter.index]
    if !variable.isWritten, let gradients {
      (gradients + parameter.range.lowerBound).update(repeating: 0, count: parameter.range.count)
      variable.isWritten = true
    }
    variable.isComplete = true
    onComplete(parameter.index)
  }
}

/// The value of `function` at `points` and its derivatives with respect to each of them.
///
/// `function` gets the points as starts of differentiation and returns a scalar. A point that
/// takes no part has the derivative nil.
public func valueWithGradient(
  at points: [Tensor], of function: ([Tensor]) -> Tensor
) -> (value: Tensor, gradients: [Tensor?]) {
  precondition(!points.isEmpty, "valueWithGradient needs at least one point")
  let workspace = points[0].workspace
  let starts = points.map(\.differentiable)
  let value = workspace.recording { function(starts) }
  workspace.backward(from: value)
  return (value.detached, starts.map { $0.variable?.takeGradient() })
}
