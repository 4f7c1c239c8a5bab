/// One recorded operation: its output, its inputs and its backward pass.
struct TapeEntry {
  /// The name and byte count of the operation in a timeline.
  struct Profile {
    let name: String
    let bytes: Double
  }

  let output: Variable
  let inputs: [Variable]
  /// Nil without a timeline, or when the operations inside are reported themselves.
  var profile: Profile?
  let backward: (_ dy: Tensor) -> Void
}

extension Tensor {
  /// Returns this result of an operation on `inputs`, recorded on the tape if a gradient can flow
  /// through it.
  ///
  /// - Parameters:
  ///   - function: The name of the operation, for a timeline.
  ///   - bytes: The least number of bytes that the operation moves; nil for the result and all
  ///     inputs.
  ///   - backward: Receives the gradient of the result and adds to the gradients of the inputs
  ///     through `accumulate`. It is not called when the final value does not depend on the result.
  func recorded(
    from inputs: Tensor?..., function: String = #function, bytes: Double? = nil,
    backward: @escaping (_ dy: Tensor) -> Void
  ) -> Tensor {
    guard workspace.isRecording else { return self }
    let profile = workspace.note(function, self, of: inputs, bytes: bytes)
    let tracked = inputs.compactMap { $0?.variable }
    guard !tracked.isEmpty else { return self }
    for variable in tracked { variable.pendingUses += 1 }
    let output = Variable()
    workspace.tape.append(
      TapeEntry(output: output, inputs: tracked, profile: profile, backward: backward))
    for variable in tracked { workspace.arena?.addMemory(of: variable) }
    return Tensor(shape: shape, type: type, storage: storage, offset: offset, variable: output)
  }
}

extension Workspace {
  /// Runs the backward pass from `result`, newest operation first, and clears the tape.
  ///
  /// - Parameters:
  ///   - result: A scalar that was computed while recording.
  ///   - onParameterComplete: Called with a parameter's index in the layout as soon as its gradient
  ///     is final. Gradients of unused parameters are zero-filled and reported at the end. Pass nil
  ///     when more contributions will follow.
  package func backward(from result: Tensor, onParameterComplete: ((Int) -> Void)? = nil) {
    precondition(result.count == 1, "backward needs a scalar, not shape \(result.shape)")
    result.variable?.accumulate(adopting: Tensor(repeating: 1, shape: [], in: self))
    unwind(to: 0, onParameterComplete)
    // A gradient in the arena that received no contribution must not keep the values of saved
    // tensors.
    for variable in parameters where variable.isInArena { clear(variable) }
    if let onParameterComplete {
      for variable in parameters where !variable.isComplete {
        if let parameter = variable.parameter { finish(parameter, onParameterComplete) }
      }
    }
  }

  /// Removes the entries from number `start` on from the tape, newest first, and runs their
  /// backward passes.
  fileprivate func unwind(to start: Int, _ onParameterComplete: ((Int) -> Void)?) {
    while tape.count > start {
      let entry = tape.removeLast()
      if let dy = entry.output.takeGradient() { timed(entry.profile) { entry.backward(dy) } }
      for input in entry.inputs {
        input.pendingUses -= 1
        if let parameter = input.parameter, input.pendingUses == 0, let onParameterComplete {
          finish(parameter, onParameterComplete)
        }
      }
    }
  }

  private func finish(_ parameter: ParameterSlot, _ onComplete: (Int) -> Void) {
    let variable = parameters[parameter.index]
    if !variable.isWritten { clear(variable) }
    variable.isComplete = true
    onComplete(parameter.index)
  }

  private func clear(_ variable: Variable) {
    guard let range = variable.parameter?.range, gradients != nil else { return }
    variable.withDestination(shape: [range.count], in: self) { gradient, _ in
      gradient.update(repeating: 0, count: range.count)
    }
  }
}

extension Tensor {
  /// Returns `body` of this tensor with activation recomputation: the tape saves only this tensor,
  /// and the backward pass runs `body` again (checkpointing, Chen and others 2016).
  ///
  /// The bits equal those without recomputation, provided that `body` returns the same values at
  /// every call and that the only values with gradients that it reads are this tensor and
  /// parameters.
  package func recomputed(_ body: @escaping (Tensor) -> Tensor) -> Tensor {
    let workspace = workspace
    guard workspace.isRecording else { return body(self) }
    let start = workspace.tape.count
    let y = body(needsGradient ? differentiable : self)
    // The parameters count as used until this entry is processed: only then are their gradients
    // final.
    let used = workspace.tape[start...].flatMap(\.inputs).filter { $0.parameter != nil }
    workspace.tape.removeSubrange(start...)
    guard y.needsGradient else { return y }
    variable?.pendingUses += 1
    let output = Variable()
    let place = gradientPlace
    let input = detached
    workspace.tape.append(
      TapeEntry(output: output, inputs: used + (variable.map { [$0] } ?? [])) { dy in
        let start = workspace.tape.count
        for variable in used { workspace.arena?.evict(variable) }
        let point = place.variable == nil ? input : input.differentiable
        // Only the variable is kept: the values would occupy memory during the backward pass.
        let y = workspace.recording { body(point) }.variable
        // Contributions of other operations come first, in the order without recomputation.
        if let dx = place.variable?.takeGradient() { point.variable?.accumulate(adopting: dx) }
        y?.accumulate(adopting: dy)
        workspace.unwind(to: start, nil)
        if let dx = point.variable?.takeGradient() { place.variable?.accumulate(adopting: dx) }
      })
    return Tensor(
      shape: y.shape, type: y.type, storage: y.storage, offset: y.offset, variable: output)
  }
}

/// Returns the value of `function` at `points` and its gradients with respect to each of them.
///
/// `function` receives the points as starting points of differentiation and returns a scalar. The
/// gradient of a point that the value does not depend on is nil.
package func valueWithGradient(
  at points: [Tensor], of function: ([Tensor]) -> Tensor
) -> (value: Tensor, gradients: [Tensor?]) {
  precondition(!points.isEmpty, "valueWithGradient needs at least one point")
  let workspace = points[0].workspace
  let starts = points.map(\.differentiable)
  let value = workspace.recording { function(starts) }
  workspace.backward(from: value)
  return (value.detached, starts.map { $0.variable?.takeGradient() })
}
