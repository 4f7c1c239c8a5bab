import Layers
import Models
import RandomNumbers
import Tensors

/// Generates tokens with a model, several sequences from one prompt at a time.
///
/// The forward pass is the one that training uses, with a KV cache. New token p of sequence s is
/// sampled with number p of the random stream (seed, step, s). When the context is full, generation
/// continues from the newest three quarters of it. An encoder–decoder encodes the prompt once as
/// its encoder input and generates a target of any length.
package struct Generator {
  let model: any LanguageModel
  let configuration: any ModelConfiguration
  let workspace: Workspace

  /// - Parameters:
  ///   - model: The network, bound to `workspace`.
  ///   - configuration: The configuration of `model`.
  ///   - workspace: The memory to compute in.
  package init(
    _ model: any LanguageModel, configuration: any ModelConfiguration, in workspace: Workspace
  ) {
    self.model = model
    self.configuration = configuration
    self.workspace = workspace
  }

  /// A prompt and how to continue it.
  package struct Request: Sendable {
    /// Token ids to continue, not empty and fewer than the model's context; or an encoder input.
    package var prompt: [Int32]
    /// Numbers of the sequences to generate; each number has its own random stream.
    package var sequences: Range<Int>
    /// Maximum number of new tokens per sequence.
    package var maximum: Int
    /// The sampling settings.
    package var sampling: Sampling
    /// The token that ends a sequence and is not part of the result; nil for none.
    package var end: Int32?
    /// Ids at or above it are never sampled: the size of the tokenizer's vocabulary, which may be
    /// smaller than the model's.
    package var vocabulary: Int
    /// Seed of the sampling.
    package var seed: UInt64
    /// Training step of a run that generates while it trains; 0 elsewhere.
    package var step: Int

    package init(
      prompt: [Int32], sequences: Range<Int> = 0..<1, maximum: Int, sampling: Sampling,
      end: Int32?, vocabulary: Int, seed: UInt64, step: Int = 0
    ) {
      self.prompt = prompt
      self.sequences = sequences
      self.maximum = maximum
      self.sampling = sampling
      self.end = end
      self.vocabulary = vocabulary
      self.seed = seed
      self.step = step
    }
  }

  /// Returns the new tokens of every sequence.
  ///
  /// - Parameter onToken: Called with the sequence's number and the id of each token as it is
  ///   sampled. An error that it throws stops the generation.
  package func callAsFunction(
    _ request: Request, onToken: (_ sequence: Int, _ id: Int32) throws -> Void
  ) rethrows -> [[Int32]] {
    precondition(
      (1...configuration.vocabulary).contains(request.vocabulary),
      "a vocabulary of \(request.vocabulary) ids for a model of \(configuration.vocabulary)")
    let count = request.sequences.count
    var new = [[Int32]](repeating: [], count: count)
    guard count > 0, request.maximum > 0 else { return new }
    let streams = request.sequences.map {
      RandomStream(seed: request.seed, purpose: .sampling, request.step, $0)
    }
    let capacity = capacity(of: request.prompt, request.maximum)
    // Unfinished sequences, by their number within the request.
    var batch = Array(0..<count)
    // The prompt is prefilled once for all sequences.
    var (pass, logits) = prefill(request.prompt, capacity: capacity)
    for position in 0..<request.maximum {
      let isFirst = position == 0
      let ids = choose(
        isFirst ? Array(repeating: 0, count: count) : Array(batch.indices), of: logits, request,
        streams: batch.map { streams[$0] }, position: position)
      var open: [Int] = []
      for (place, id) in ids.enumerated() where !isEnded(new[batch[place]], request.end) {
        new[batch[place]].append(id)
        guard id != request.end else { continue }
        open.append(place)
        try onToken(request.sequences.lowerBound + batch[place], id)
      }
      if open.isEmpty || position == request.maximum - 1 { break }
      if isFirst && count > 1 {
        pass = ForwardPass(sequences: count, caches: pass.caches.map { $0.repeated(count) })
      }
      // Finished sequences are removed when they are a quarter of the batch, because every removal
      // copies the caches.
      if 4 * open.count <= 3 * batch.count || open.count == 1 && batch.count > 1 {
        for cache in pass.caches { cache.keep(open) }
        pass = ForwardPass(sequences: open.count, caches: pass.caches)
        batch = open.map { batch[$0] }
      }
      var pending = batch.map { new[$0][new[$0].count - 1] }
      if pass.caches[0].length == capacity {
        let kept = max(1, configuration.context * 3 / 4)
        pass = newPass(batch.count, capacity: capacity)
        // A finished sequence is padded: only its place in the batch counts.
        pending = batch.flatMap { row -> [Int32] in
          let text = (request.prompt + new[row]).suffix(kept)
          return Array(repeating: 0, count: kept - text.count) + text
        }
      }
      logits = lastLogits(pending, pass)
    }
    return new.map { Array($0.prefix { $0 != request.end }) }
  }

  private func isEnded(_ new: [Int32], _ end: Int32?) -> Bool { end != nil && new.last == end }

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
  private func choose(
    _ rows: [Int], of logits: Tensor, _ request: Request, streams: [RandomStream], position: Int
  ) -> [Int32] {
    var ids = [Int32](repeating: 0, count: rows.count)
    ids.withUnsafeMutableBufferPointer { ids in
      let ids = UncheckedBuffer(ids)
      workspace.forEach(rows.count) { place, _ in
        ids.buffer[place] = request.sampling.choose(
          from: UnsafeBufferPointer(
            start: logits.pointer + rows[place] * configuration.vocabulary,
            count: request.vocabulary),
          uniform: streams[place].uniform(UInt64(position)))
      }
    }
    return ids
  }

  /// Returns the new tokens of every sequence.
  package func callAsFunction(_ request: Request) -> [[Int32]] {
    self(request) { _, _ in }
  }

  /// Returns the number of positions that a cache needs for `prompt` and `maximum` new tokens, at
  /// most the context; for an encoder–decoder, the new tokens alone.
  func capacity(of prompt: [Int32], _ maximum: Int) -> Int {
    configuration.start == nil ? min(configuration.context, prompt.count + maximum) : maximum
  }

  /// Prefills `prompt`; returns a pass with its KV caches, of `capacity` positions, and the logits
  /// of the first new token.
  func prefill(_ prompt: [Int32], capacity: Int) -> (pass: ForwardPass, logits: Tensor) {
    guard let start = configuration.start else {
      precondition(
        !prompt.isEmpty && prompt.count < configuration.context,
        "a prompt of \(prompt.count) tokens for a context of \(configuration.context)")
      let pass = newPass(1, capacity: capacity)
      return (pass, lastLogits(prompt, pass))
    }
    precondition(!prompt.isEmpty, "an encoder input of no tokens")
    let caches = configuration.caches(
      sequences: 1, capacity: capacity, source: prompt.count, in: workspace)
    let source = EncoderInput(ids: prompt, lengths: [Int32(prompt.count)])
    let logits = lastLogits(
      [Int32(start)], ForwardPass(sequences: 1, caches: caches, encoderInput: source))
    return (ForwardPass(sequences: 1, caches: caches), logits)
  }

  func newPass(_ sequences: Int, capacity: Int) -> ForwardPass {
    ForwardPass(
      sequences: sequences,
      caches: configuration.caches(
        sequences: sequences, capacity: capacity, source: 0, in: workspace))
  }
}

/// A buffer that several threads write at once.
///
/// `@unchecked Sendable`: every element is written by exactly one thread.
struct UncheckedBuffer<Element>: @unchecked Sendable {
  let buffer: UnsafeMutableBufferPointer<Element>

  init(_ buffer: UnsafeMutableBufferPointer<Element>) {
    self.buffer = buffer
  }
}
