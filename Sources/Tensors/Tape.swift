/// One recorded operation: what came out, what went in, and how a derivative goes back.
struct TapeEntry {
  /// How a timeline tells of it.
  struct Profile {
    let name: String
    let bytes: Double
  }

  let output: Variable
  let inputs: [Variable]
  /// Nil where nobody keeps a timeline, or where what is inside is told.
  var profile: Profile?
  let backward: (_ dy: Tensor) -> Void
}

extension Tensor {
  /// The result of an operation on `inputs`, on the tape if a derivative can flow through it.
  ///
  /// `backward` gets the derivative of the result and adds to the inputs' derivatives through
  /// `accumulate`; it is never called when the result took no part in the final value.
  ///
  /// - Parameters:
  ///   - function: The operation, for a timeline.
  ///   - bytes: What it at least moves, where that is not the result and all of the inputs.
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
    for variable in tracked { workspace.loan?.lend(variable) }
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
    unwind(to: 0, onParameterComplete)
    // What was lent and took no part after all must not keep what lay there.
    for variable in parameters where variable.isLent { clear(variable) }
    if let onParameterComplete {
      for variable in parameters where !variable.isComplete {
        if let parameter = variable.parameter { finish(parameter, onParameterComplete) }
      }
    }
  }

  /// Takes the entries from number `start` on off the tape, newest first, and runs them backwards.
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
  /// `body` of this tensor, of which the tape keeps nothing but this tensor.
  ///
  /// The backward pass computes what lies between once more (Chen and others 2016).
  /// The bits are those of `body` alone, if it gives the same at every call and reads no other value
  /// that a derivative flows back to than this one and parameters.
  public func recomputed(_ body: @escaping (Tensor) -> Tensor) -> Tensor {
    let workspace = workspace
    guard workspace.isRecording else { return body(self) }
    let start = workspace.tape.count
    let y = body(needsGradient ? differentiable : self)
    // The parameters count as used until this entry is done: only then are their gradients final.
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
        for variable in used { workspace.loan?.reclaim(variable) }
        let point = place.variable == nil ? input : input.differentiable
        // The values themselves are in the way of the gradients.
        let y = workspace.recording { body(point) }.variable
        // What others have added already comes first, as it would without this.
        if let dx = place.variable?.takeGradient() { point.variable?.accumulate(adopting: dx) }
        y?.accumulate(adopting: dy)
        workspace.unwind(to: start, nil)
        if let dx = point.variable?.takeGradient() { place.variable?.accumulate(adopting: dx) }
      })
    return Tensor(
      shape: y.shape, type: y.type, storage: y.storage, offset: y.offset, variable: output)
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
