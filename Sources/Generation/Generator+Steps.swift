import CKernels
import Layers
import RandomNumbers
import Tensors

extension Generator {
  /// Prefills the prompts; returns KV caches with the prompt of every completion, and the logits
  /// after each prompt, [prompts, vocabulary].
  func prefill(_ request: CompletionRequest) -> ([KVCache], Tensor) {
    let vocabulary = configuration.vocabulary
    // An encoder–decoder caches only the target.
    let capacities = request.prompts.map { prompt in
      let limit = limit(of: prompt, request)
      return configuration.start == nil ? min(configuration.context, prompt.count + limit) : limit
    }
    let caches = caches(
      request.prompts.count * request.samples, capacity: capacities.max() ?? 0,
      source: request.prompts.map(\.count).max() ?? 0)
    let logits = Tensor(uninitialized: [request.prompts.count, vocabulary], in: workspace)
    for (index, prompt) in request.prompts.enumerated() {
      let (own, prefilled) = prefill(prompt)
      (logits.pointer + index * vocabulary).update(from: own.pointer, count: vocabulary)
      let places = index * request.samples..<(index + 1) * request.samples
      for (cache, read) in zip(caches, prefilled) { cache.fill(places, from: read) }
    }
    return (caches, logits)
  }

  /// Prefills `prompt`; returns the logits of the first new token, and the KV caches.
  private func prefill(_ prompt: [Int32]) -> (logits: Tensor, caches: [KVCache]) {
    precondition(!prompt.isEmpty, "a prompt of no tokens")
    guard let start = configuration.start else {
      precondition(
        prompt.count < configuration.context,
        "a prompt of \(prompt.count) tokens for a context of \(configuration.context)")
      let caches = caches(1, capacity: prompt.count)
      return (lastLogits(prompt, ForwardPass(sequences: 1, caches: caches)), caches)
    }
    let caches = caches(1, capacity: 1, source: prompt.count)
    let source = EncoderInput(ids: prompt, lengths: [Int32(prompt.count)])
    let pass = ForwardPass(sequences: 1, caches: caches, encoderInput: source)
    return (lastLogits([Int32(start)], pass), caches)
  }

  /// Returns empty KV caches for `sequences` sequences.
  func caches(_ sequences: Int, capacity: Int, source: Int = 0) -> [KVCache] {
    configuration.caches(
      sequences: sequences, capacity: capacity, source: source, in: workspace)
  }

  /// Returns the logits after the last id of every sequence, [sequences, vocabulary], in fp32.
  func lastLogits(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    let hidden = model.hidden(ids, pass)
    let length = ids.count / pass.sequences
    return model.head(
      length == 1
        ? hidden : hidden.rows(at: (1...pass.sequences).map { $0 * length - 1 }),
      fp32Output: true)
  }

  /// Samples one token for every place from row `rows[place]` of `logits`, spread over the thread
  /// team.
  ///
  /// - Parameter tokens: The number of the completion at each place, and of its next token.
  func choose(
    _ rows: [Int], of logits: Tensor, _ request: CompletionRequest,
    tokens: [(completion: Int, token: Int)]
  ) -> [(id: Int32, logProbability: Float)] {
    let temperature = request.sampling.temperature
    return [(id: Int32, logProbability: Float)](unsafeUninitializedCapacity: rows.count) {
      choices, initialized in
      let own = UncheckedBuffer(buffer: choices)
      workspace.forEach(rows.count) { place, _ in
        let row = logits.pointer + rows[place] * configuration.vocabulary
        let stream = RandomStream(
          seed: request.seed, purpose: .sampling, request.step,
          request.first + tokens[place].completion)
        var id = request.sampling.choose(
          from: UnsafeBufferPointer(start: row, count: request.vocabulary),
          uniform: stream.uniform(UInt64(tokens[place].token)))
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

/// A buffer that several threads write at once.
///
/// `@unchecked Sendable`: every element is written by exactly one thread.
private struct UncheckedBuffer<Element>: @unchecked Sendable {
  let buffer: UnsafeMutableBufferPointer<Element>
}
