import Layers
import Models
import RandomNumbers
import Tensors

/// Continues token sequences with a model, several from one prompt at a time.
///
/// The forward pass is the one that training uses, with the keys and values of earlier positions
/// kept. New token p of sequence s is chosen with number p of the stream (seed, step, s). When the
/// context is full, generation goes on with the newest three quarters of it. A model of sources and
/// targets reads the prompt as the source, once, and writes a target of any length.
public struct Generator {
  let model: any LanguageModel
  let configuration: any ModelConfiguration
  let workspace: Workspace

  /// - Parameters:
  ///   - model: The network, bound to `workspace`.
  ///   - configuration: Its sizes.
  ///   - workspace: The memory to compute in.
  public init(
    _ model: any LanguageModel, configuration: any ModelConfiguration, in workspace: Workspace
  ) {
    self.model = model
    self.configuration = configuration
    self.workspace = workspace
  }

  /// What to generate.
  public struct Request: Sendable {
    /// Ids to continue, not empty and fewer than the model's context; or a source.
    public var prompt: [Int32]
    /// Numbers of the sequences to generate; each has its own random numbers.
    public var sequences: Range<Int>
    /// Most new tokens per sequence.
    public var maximum: Int
    /// How tokens are chosen.
    public var sampling: Sampling
    /// The token that ends a sequence; it is not part of the result.
    public var end: Int32?
    /// Ids at or above it are never chosen; the tokenizer's vocabulary, where the model's is larger.
    public var vocabulary: Int
    /// Seed of the choices.
    public var seed: UInt64
    /// Step of a run that generates while it trains; 0 elsewhere.
    public var step: Int

    /// See the properties.
    public init(
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

  /// The new tokens of every sequence.
  ///
  /// - Parameter onToken: Called with sequence number and id as each token is chosen.
  public func callAsFunction(
    _ request: Request, onToken: (_ sequence: Int, _ id: Int32) throws -> Void
  ) rethrows -> [[Int32]] {
    precondition(
      (1...configuration.vocabulary).contains(request.vocabulary),
      "a choice from \(request.vocabulary) ids of \(configuration.vocabulary)")
    let count = request.sequences.count
    var new = [[Int32]](repeating: [], count: count)
    guard count > 0, request.maximum > 0 else { return new }
    let streams = request.sequences.map {
      RandomStream(seed: request.seed, purpose: .sampling, request.step, $0)
    }
    let capacity = capacity(of: request.prompt, request.maximum)
    // Sequences at work, by their number within the request.
    var batch = Array(0..<count)
    // The prompt is read once, whatever the number of sequences.
    var (pass, logits) = read(request.prompt, capacity: capacity)
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
      // Those that ended leave when they are a quarter of the batch: each time the caches are copied.
      if 4 * open.count <= 3 * batch.count || open.count == 1 && batch.count > 1 {
        for cache in pass.caches { cache.keep(open) }
        pass = ForwardPass(sequences: open.count, caches: pass.caches)
        batch = open.map { batch[$0] }
      }
      var pending = batch.map { new[$0][new[$0].count - 1] }
      if pass.caches[0].length == capacity {
        let kept = max(1, configuration.context * 3 / 4)
        pass = newPass(batch.count, capacity: capacity)
        // One that has ended only keeps its place.
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

  /// The logits after the last id of every sequence.
  func lastLogits(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    let hidden = model.hidden(ids, pass)
    let length = ids.count / pass.sequences
    return model.head(
      length == 1
        ? hidden : hidden.rows(at: (1...pass.sequences).map { $0 * length - 1 }),
      precise: true)
  }

  /// Chooses from row `rows[place]` of `logits` for every place, spread over the team.
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

  /// The new tokens of every sequence, when nobody wants to hear of them one by one.
  public func callAsFunction(_ request: Request) -> [[Int32]] {
    self(request) { _, _ in }
  }

  /// Positions that `maximum` new tokens after `prompt` need, or the context; targets begin after one
  /// id, which is none of them.
  func capacity(of prompt: [Int32], _ maximum: Int) -> Int {
    configuration.start == nil ? min(configuration.context, prompt.count + maximum) : maximum
  }

  /// What is left of reading `prompt`, in caches for `capacity` positions, and the logits of the first
  /// new token.
  func read(_ prompt: [Int32], capacity: Int) -> (pass: ForwardPass, logits: Tensor) {
    guard let start = configuration.start else {
      precondition(
        !prompt.isEmpty && prompt.count < configuration.context,
        "a prompt of \(prompt.count) tokens for a context of \(configuration.context)")
      let pass = newPass(1, capacity: capacity)
      return (pass, lastLogits(prompt, pass))
    }
    precondition(!prompt.isEmpty, "a source of no tokens")
    let caches = configuration.caches(
      sequences: 1, capacity: capacity, source: prompt.count, in: workspace)
    let source = Source(ids: prompt, lengths: [Int32(prompt.count)])
    let logits = lastLogits(
      [Int32(start)], ForwardPass(sequences: 1, caches: caches, source: source))
    return (ForwardPass(sequences: 1, caches: caches), logits)
  }

  func newPass(_ sequences: Int, capacity: Int) -> ForwardPass {
    ForwardPass(
      sequences: sequences,
      caches: configuration.caches(
        sequences: sequences, capacity: capacity, source: 0, in: workspace))
  }
}

/// Memory in which every place has one writer.
struct UncheckedBuffer<Element>: @unchecked Sendable {
  // Sendable: see above.
  let buffer: UnsafeMutableBufferPointer<Element>

  init(_ buffer: UnsafeMutableBufferPointer<Element>) {
    self.buffer = buffer
  }
}
