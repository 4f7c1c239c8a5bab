import Layers
import Models
import Tensors

/// Generates tokens with a model, for several prompts and several completions of each at a time.
///
/// The forward pass is the one that training uses, with a KV cache. An encoder–decoder encodes a
/// prompt once as its encoder input and generates a target of any length.
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

  /// Returns the new tokens of every completion, without the end token.
  ///
  /// - Parameter onToken: See `completions`.
  package func callAsFunction(
    _ request: CompletionRequest,
    onToken: ((_ number: Int, _ id: Int32) throws -> Void)? = nil
  ) rethrows -> [[Int32]] {
    try completions(request, onToken: onToken).map {
      $0.hasEnded ? $0.tokens.dropLast() : $0.tokens
    }
  }

  /// Returns `samples` completions of every prompt, prompt after prompt.
  ///
  /// Each prompt is prefilled once; then all completions are decoded as one batch, although their
  /// prompts may differ in length. Token p of completion c is sampled with number p of the random
  /// stream (seed, step, `first` + c).
  ///
  /// - Parameters:
  ///   - onToken: Called with the number of the completion, `first` + c, and the id of each token but
  ///     the end token, as it is sampled. An error that it throws stops the generation.
  ///   - onCompletion: Called when a completion is finished.
  package func completions(
    _ request: CompletionRequest,
    onToken: ((_ number: Int, _ id: Int32) throws -> Void)? = nil,
    onCompletion: (() -> Void)? = nil
  ) rethrows -> [Completion] {
    precondition(
      (1...configuration.vocabulary).contains(request.vocabulary) && request.samples >= 0
        && request.maximum >= 0,
      "\(request.samples) completions of \(request.maximum) tokens, \(request.vocabulary) ids of "
        + "\(configuration.vocabulary)")
    let count = request.prompts.count * request.samples
    var completions = [Completion](repeating: Completion(), count: count)
    guard count > 0, request.maximum > 0 else { return completions }
    var (caches, logits) = prefill(request)
    // The numbers of the unfinished completions, and the row of the logits of each.
    var batch = Array(0..<count)
    var rows = batch.map { $0 / request.samples }
    while true {
      let choices = choose(
        rows, of: logits, request, tokens: batch.map { ($0, completions[$0].tokens.count) })
      // From the last place to the first: the completion that moves into a freed place has already
      // been handled.
      for place in batch.indices.reversed() {
        let number = batch[place]
        let choice = choices[place]
        completions[number].tokens.append(choice.id)
        completions[number].logProbabilities.append(choice.logProbability)
        completions[number].hasEnded = request.ends.contains(choice.id)
        if !completions[number].hasEnded { try onToken?(request.first + number, choice.id) }
        guard
          completions[number].hasEnded
            || completions[number].tokens.count
              == limit(of: request.prompts[number / request.samples], request)
        else { continue }
        onCompletion?()
        for cache in caches { cache.remove(place) }
        batch[place] = batch[batch.count - 1]
        batch.removeLast()
      }
      if batch.isEmpty { return completions }
      var pending = batch.flatMap { completions[$0].tokens.suffix(1) }
      // Only completions that continue past the context, which have equal lengths, fill the caches.
      if let full = caches.first, full.length == full.capacity {
        caches = self.caches(batch.count, capacity: full.capacity)
        pending = batch.flatMap {
          (request.prompts[$0 / request.samples] + completions[$0].tokens)
            .suffix(max(1, configuration.context * 3 / 4))
        }
      }
      logits = lastLogits(pending, ForwardPass(sequences: batch.count, caches: caches))
      rows = Array(batch.indices)
    }
  }

  /// Returns the largest number of tokens of a completion of `prompt`.
  func limit(of prompt: [Int32], _ request: CompletionRequest) -> Int {
    configuration.start == nil && !request.continuesPastContext
      ? min(request.maximum, configuration.context - prompt.count) : request.maximum
  }
}
