import Files

/// The fields of records and messages, of the names that TRL, Axolotl, LLaMA-Factory, OpenAI and others
/// give them, that no format of Apus reads, by what they mean.
///
/// A field that a record's format reads is used. Of the others, one in `ofRecords` or `ofMessages` changes
/// what is learned, so that the record is refused by name; one that is metadata, such as an id, is
/// irrelevant; any other is reported once as not used. A field that repeats a text of its record, such
/// as the prompt of UltraChat beside its messages, says nothing more.
enum FieldMeaning {
  /// The fields that change what a record means wherever they occur and are not read.
  private static let ofRecords: Set<String> = loss.union(media).union(judgements).union([
    // Context of the answer.
    "chat_template", "chat_template_kwargs", "context", "continue_final_message", "conversation",
    "conversations", "documents", "enable_thinking", "functions", "history", "hypothesis", "input",
    "instruction", "instructions", "messages", "premise", "prompt", "question", "sentence2",
    "system", "system_message", "system_prompt", "systemPrompt", "text_pair", "tools",
    // Answers, and parts of them.
    "answer", "chosen", "completion", "completions", "function_call", "ground_truth", "negative",
    "negatives", "output", "positive", "positives", "prefix", "reasoning", "reasoning_content",
    "rejected", "response", "responses", "segments", "solution", "suffix", "thinking",
    "tool_calls",
    // Tokens in place of texts.
    "attention_mask", "input_ids", "labels", "token_type_ids",
  ])

  /// The fields that change what a message means and are not read.
  private static let ofMessages: Set<String> = loss.union(media).union(judgements).union([
    "function_call", "negative", "positive", "prefill", "prefix", "target",
  ])

  /// The fields that judge an answer, or compare it with others.
  private static let judgements: Set<String> = [
    "advantage", "chosen_prob", "correct", "flipped", "is_correct", "kto_tag", "label", "margin",
    "preference", "preferred", "rank", "ranks", "reward", "rewards", "swapped", "tie", "winner",
  ]

  private static let media: Set<String> = [
    "audio", "audios", "image", "images", "video", "videos",
  ]

  /// The fields that say whether, and how much, something is learned.
  private static let loss: Set<String> = inLoss.union([
    "assistant_mask", "assistant_masks", "calculate_loss", "completion_mask", "loss_mask",
    "loss_scale", "loss_weight", "mask", "masked", "masks", "sample_weight", "trainable",
    "train_detail", "train_on_input",
    "train_on_inputs", "train_on_prompt", "training_detail", "weights",
  ])

  /// The fields of an assistant's message that say whether it is in the loss: OpenAI's, Axolotl's and
  /// XTuner's.
  static let inLoss: Set<String> = ["loss", "train", "train_on_turn", "training", "weight"]

  /// The fields of which true means what a record without the field means.
  private static let neutralWhenTrue = inLoss.union([
    "calculate_loss", "correct", "is_correct", "target", "trainable",
  ])

  /// The fields of which false means what a record without the field means.
  private static let neutralWhenFalse: Set<String> = [
    "continue_final_message", "flipped", "masked", "negative", "prefill", "prefix", "swapped",
    "tie", "train_on_input", "train_on_inputs",
    "train_on_prompt",
  ]

  /// The fields that are known not to matter, beside those that end in `_id` and `_at`.
  private static let metadata: Set<String> = [
    "", "author", "category", "comment", "comments", "created", "dataset", "date", "difficulty",
    "domain", "hash", "id", "idx", "index", "key", "lang", "language", "length", "license", "md5",
    "meta", "metadata", "model", "name", "note", "notes", "num_tokens", "sha256", "source",
    "split", "subset", "tags", "task", "time", "timestamp", "title", "token_count", "topic",
    "type", "url", "uuid", "version",
  ]

  /// Returns true when `field` of a record, with `value`, changes what is learned.
  static func changesRecord(_ field: String, _ value: JSONValue) -> Bool {
    ofRecords.contains(field) && !isNeutral(value, for: field)
  }

  /// Returns true when `field` of a message, with `value`, changes what is learned.
  static func changesMessage(_ field: String, _ value: JSONValue) -> Bool {
    ofMessages.contains(field) && !isNeutral(value, for: field)
  }

  /// Returns true when `field` is known not to matter.
  static func isMetadata(_ field: String) -> Bool {
    let name = field.lowercased()
    return metadata.contains(name) || name.hasSuffix("_id") || name.hasSuffix("_at")
  }

  /// Returns true when a record's unused `field` is neither metadata nor one that would be refused were
  /// its value not neutral.
  static func isWorthNoting(_ field: String) -> Bool {
    !isMetadata(field) && !ofRecords.contains(field)
  }

  /// Returns true when `value` of a field that changes what a record or message means changes nothing: a
  /// missing or empty one, a weight of 1, a margin of 0, or a message that is trained on.
  static func isNeutral(_ value: JSONValue, for field: String) -> Bool {
    switch value {
    case .null: true
    case .string(let text): Turns.isBlank(text)
    case .array(let elements): elements.isEmpty
    case .object(let members): members.isEmpty
    case .bool(let value): (value ? neutralWhenTrue : neutralWhenFalse).contains(field)
    case .integer, .number:
      switch field {
      case "weight", "sample_weight", "loss_scale", "loss_weight", "calculate_loss":
        value.number == 1
      case "margin": value.number == 0
      default: false
      }
    }
  }

  /// The field that the formats read for one that means the same.
  private static let synonyms = [
    "answer": "completion", "ground_truth": "completion", "instruction": "system",
    "instructions": "system", "negative": "rejected", "output": "completion",
    "positive": "chosen", "reasoning": "reasoning_content", "response": "completion",
    "solution": "completion", "system_message": "system", "system_prompt": "system",
    "systemPrompt": "system",
  ]

  /// Returns the end of a sentence that says what to do about the unused `field` in a record of
  /// `format`.
  static func remedy(_ field: String, in format: RecordFormat) -> String {
    let known = synonyms[field]
    let isRead = known.map { (format.fields + format.allOptionalFields).contains($0) } ?? false
    let isPrompt = format.fields == ["prompt"] && known == "completion"
    guard let known, isRead || isPrompt else {
      return "remove the field, or name it in data.ignoredFields"
    }
    return "read it with data.fields: {\(known): \(field)}, remove it, or name it in "
      + "data.ignoredFields"
  }
}

/// The fields that were read for nothing, with the number of records that have them.
package struct UnusedFields: Sendable, Equatable, CustomStringConvertible {
  private var counts: [String: Int] = [:]

  package init() {}

  package var isEmpty: Bool { counts.isEmpty }

  /// Counts one record with `fields`.
  mutating func note(_ fields: Set<String>) {
    for field in fields { counts[field, default: 0] += 1 }
  }

  /// Adds the counts of `other`.
  mutating func note(_ other: UnusedFields) {
    counts.merge(other.counts, uniquingKeysWith: +)
  }

  /// The first eight fields, by frequency, each with its number of records.
  package var description: String {
    let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let more = counts.count > 8 ? " and \(counts.count - 8) more" : ""
    return sorted.prefix(8).map { "\($0.key) (\($0.value, "record"))" }.joined(separator: ", ")
      + more
  }
}
