import CKernels
import Layers
import RandomNumbers
import Tensors

extension Generator {
  /// Returns `samples` completions of every prompt, prompt after prompt.
  ///
  /// Each prompt is prefilled once; then all completions are decoded as one batch, although their
  /// prompts may differ in length. Token p of completion c is sampled with number p of the random
  /// stream (seed, step, `first` + c).
  package func completions(_ request: CompletionRequest) -> [Completion] {
    precondition(
      (1...configuration.vocabulary).contains(request.vocabulary) && request.samples >= 0
        && request.maximum >= 0,
      "\(request.samples) completions of \(request.maximum) tokens, \(request.vocabulary) ids of "
        + "\(configuration.vocabulary)")
    let count = request.prompts.count * request.samples
    var completions = [Completion](repeating: Completion(), count: count)
    guard count > 0, request.maximum > 0 else { return completions }
    let limits = request.prompts.map {
      configuration.start == nil
        ? min(request.maximum, configuration.context - $0.count) : request.maximum
    }
    let (caches, starts) = prefill(request, limits)
    var logits = starts
    // The numbers of the unfinished completions, and the row of the logits of each.
    var batch = Array(0..<count)
    var rows = batch.map { $0 / request.samples }
    while true {
      let choices = choose(rows, of: logits, request) { place in
        (batch[place], completions[batch[place]].tokens.count)
      }
      // From the last place to the first: the completion that moves into a freed place has already
      // been handled.
      for place in batch.indices.reversed() {
        let number = batch[place]
        let choice = choices[place]
        completions[number].tokens.append(choice.id)
        completions[number].logProbabilities.append(choice.logProbability)
        completions[number].hasEnded = choice.id == request.end
        guard
          completions[number].hasEnded
            || completions[number].tokens.count == limits[number / request.samples]
        else { continue }
        for cache in caches { cache.remove(place) }
        batch[place] = batch[batch.count - 1]
        batch.removeLast()
      }
      if batch.isEmpty { return completions }
      logits = lastLogits(
        batch.map { completions[$0].tokens[completions[$0].tokens.count - 1] },
        ForwardPass(sequences: batch.count, caches: caches))
      rows = Array(batch.indices)
    }
  }

  /// Prefills the prompts; returns KV caches with the prompt of every completion, and the logits
  /// after each prompt, [prompts, vocabulary].
  private func prefill(_ request: CompletionRequest, _ limits: [Int]) -> ([KVCache], Tensor) {
    let vocabulary = configuration.vocabulary
    let capacities = zip(request.prompts, limits).map { capacity(of: $0, $1) }
    let caches = configuration.caches(
      sequences: request.prompts.count * request.samples, capacity: capacities.max() ?? 0,
      source: request.prompts.map(\.count).max() ?? 0, in: workspace)
    let logits = Tensor(uninitialized: [request.prompts.count, vocabulary], in: workspace)
    for (index, prompt) in request.prompts.enumerated() {
      let (pass, own) = prefill(prompt, capacity: configuration.start == nil ? prompt.count : 1)
      (logits.pointer + index * vocabulary).update(from: own.pointer, count: vocabulary)
      let places = index * request.samples..<(index + 1) * request.samples
      for (cache, read) in zip(caches, pass.caches) { cache.fill(places, from: read) }
    }
    return (caches, logits)
  }

  /// Samples one token for every place from row `rows[place]` of `logits`, spread over the thread
  /// team.
  ///
  /// - Parameter origin: Returns the number of the completion at a place, and of its next token.
  private func choose(
    _ rows: [Int], of logits: Tensor, _ request: CompletionRequest,
    origin: (_ place: Int) -> (completion: Int, token: Int)
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
          request.first + origins[place].completion)
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
