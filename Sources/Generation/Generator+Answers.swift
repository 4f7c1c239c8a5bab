import CKernels
import Layers
import RandomNumbers
import Tensors

extension Generator {
  /// The answers to every prompt, `samples` of each, prompt after prompt.
  ///
  /// Each prompt is read once; then all answers are written side by side, whatever the lengths of
  /// their prompts. Token p of answer a is chosen with number p of the stream (seed, step,
  /// `first` + a).
  public func answers(_ request: AnswerRequest) -> [Answer] {
    precondition(
      (1...configuration.vocabulary).contains(request.vocabulary) && request.samples >= 0
        && request.maximum >= 0,
      "\(request.samples) answers of \(request.maximum) tokens, \(request.vocabulary) ids of "
        + "\(configuration.vocabulary)")
    let count = request.prompts.count * request.samples
    var answers = [Answer](repeating: Answer(), count: count)
    guard count > 0, request.maximum > 0 else { return answers }
    let limits = request.prompts.map {
      configuration.start == nil
        ? min(request.maximum, configuration.context - $0.count) : request.maximum
    }
    let (caches, starts) = read(request, limits)
    var logits = starts
    // Answers at work, by number; the rows of the logits that they go on from.
    var batch = Array(0..<count)
    var rows = batch.map { $0 / request.samples }
    while true {
      let choices = choose(rows, of: logits, request) { place in
        (batch[place], answers[batch[place]].tokens.count)
      }
      // From the back, so that who takes a place has been seen already.
      for place in batch.indices.reversed() {
        let number = batch[place]
        let choice = choices[place]
        answers[number].tokens.append(choice.id)
        answers[number].logProbabilities.append(choice.logProbability)
        answers[number].hasEnded = choice.id == request.end
        guard
          answers[number].hasEnded
            || answers[number].tokens.count == limits[number / request.samples]
        else { continue }
        for cache in caches { cache.remove(place) }
        batch[place] = batch[batch.count - 1]
        batch.removeLast()
      }
      if batch.isEmpty { return answers }
      logits = lastLogits(
        batch.map { answers[$0].tokens[answers[$0].tokens.count - 1] },
        ForwardPass(sequences: batch.count, caches: caches))
      rows = Array(batch.indices)
    }
  }

  /// What the prompts leave behind: caches with the prompt of every answer, and the logits after each
  /// prompt.
  private func read(_ request: AnswerRequest, _ limits: [Int]) -> ([KeyValueRows], Tensor) {
    let vocabulary = configuration.vocabulary
    let capacities = zip(request.prompts, limits).map { capacity(of: $0, $1) }
    let caches = configuration.caches(
      sequences: request.prompts.count * request.samples, capacity: capacities.max() ?? 0,
      source: request.prompts.map(\.count).max() ?? 0, in: workspace)
    let logits = Tensor(uninitialized: [request.prompts.count, vocabulary], in: workspace)
    for (index, prompt) in request.prompts.enumerated() {
      let (pass, own) = read(prompt, capacity: configuration.start == nil ? prompt.count : 1)
      (logits.pointer + index * vocabulary).update(from: own.pointer, count: vocabulary)
      let places = index * request.samples..<(index + 1) * request.samples
      for (cache, read) in zip(caches, pass.caches) { cache.fill(places, from: read) }
    }
    return (caches, logits)
  }

  /// Chooses from row `rows[place]` of `logits` for every place, spread over the team.
  ///
  /// - Parameter origin: Number of the answer at a place, and of the token it is about to get.
  private func choose(
    _ rows: [Int], of logits: Tensor, _ request: AnswerRequest,
    origin: (_ place: Int) -> (answer: Int, token: Int)
  ) -> [(id: Int32, logProbability: Float)] {
    let temperature = request.sampling.temperature
    let origins = rows.indices.map(origin)
    return [(id: Int32, logProbability: Float)](unsafeUninitializedCapacity: rows.count) {
      choices, initialized in
      let own = UncheckedBuffer(choices)
      workspace.forEach(rows.count) { place, _ in
        let row = logits.pointer + rows[place] * configuration.vocabulary
        let stream = RandomStream(
          seed: request.seed, purpose: .sampling, request.step,
          request.first + origins[place].answer)
        var id = request.sampling.choose(
          from: UnsafeBufferPointer(start: row, count: request.vocabulary),
          uniform: stream.uniform(UInt64(origins[place].token)))
        var (chosen, entropy): (Float, Float) = (0, 0)
        apus_log_softmax(
          row, false, &chosen, &entropy, &id, nil, temperature > 0 ? 1 / temperature : 1, 1,
          configuration.vocabulary)
        own.buffer.initializeElement(at: place, to: (id, chosen))
      }
      initialized = rows.count
    }
  }
}
