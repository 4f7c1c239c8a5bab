import Files
import Testing
import Tokenizers

@testable import Datasets

/// Fields that change what a record means are computed, refused by name, or known to be irrelevant.
struct FieldMeaningTests {
  private let scratch: Scratch
  private let chat = ChatEncoder(.chatml, tokenizer: ByteTokenizer())

  init() throws { scratch = try Scratch() }

  private func read(
    _ json: String..., names: [(known: String, name: String)] = [], ignoring: [String] = [],
    file: String = "a.jsonl"
  ) throws -> RecordSet {
    let path = try scratch.write(file, Array(json.joined(separator: "\n").utf8))
    return try RecordSet(
      reading: [path], validation: .fraction(0), names: try FieldNames(names, ignoring: ignoring))
  }

  private static func published(_ template: String) throws -> ChatTemplate {
    .published(
      try PublishedTemplate(
        template, specialTokens: [.init(name: "eos_token", text: "<|endoftext|>")], path: "here"))
  }

  private static let chatFields =
    #""messages": [{"role": "user", "content": "q"}, "#
    + #"{"role": "assistant", "content": "a"}]"#

  private static let forms = [
    "conversation": chatFields,
    "answer": #""prompt": "q", "completion": "a""#,
    "pair": #""prompt": "q", "chosen": "a", "rejected": "b""#,
    "text": #""text": "t", "label": "x""#,
  ]

  private static let everywhere = [
    #""system_prompt": "s""#, #""system_message": "s""#, #""instruction": "i""#, #""loss": false"#,
    #""train": false"#, #""mask": [0, 1]"#, #""mask": false"#, #""train_on_inputs": true"#,
    #""weight": 0"#, #""weight": 0.5"#, #""sample_weight": 2"#, #""is_correct": false"#,
    #""calculate_loss": 0"#, #""loss_weight": 0.2"#, #""enable_thinking": false"#,
    #""winner": 1"#, #""premise": "p""#,
    #""rank": 2"#, #""responses": ["x", "y"]"#, #""negative": "n""#, #""prefix": true"#,
    #""images": ["x.png"]"#, #""reasoning_content": "r""#, #""reward": 0.1"#, #""solution": "z""#,
    #""labels": [1, 2]"#, #""input_ids": [1, 2]"#, #""tool_calls": [{"name": "f"}]"#,
  ]

  @Test(arguments: forms.keys.sorted())
  func fieldsThatChangeWhatIsLearnedAreRefused(form: String) throws {
    let own = try #require(Self.forms[form])
    for field in Self.everywhere where !(form == "pair" && field.contains("instruction")) {
      let name = String(field.split(separator: "\"")[0])
      let record = "{\(own), \(field)}"
      let error = #expect(throws: DatasetError.self, "\(record)") { try read(record) }
      #expect(error?.description.contains("has the field \"\(name)\", which changes") == true)
      #expect(error?.description.contains("data.ignoredFields") == true, "\(record)")
      #expect(throws: Never.self, "\(record)") { try read(record, ignoring: [name]) }
    }
  }

  @Test(
    arguments: [
      ("conversation", #""prompt": "other""#, "prompt"),
      ("answer", #""messages": [{"role": "user", "content": "other"}]"#, "prompt"),
      ("answer", #""response": "other""#, "response"), ("answer", #""margin": 1"#, "margin"),
      ("pair", #""messages": [{"role": "user", "content": "other"}]"#, "messages"),
      ("pair", #""instruction": "other""#, "instruction"), ("pair", #""label": true"#, "label"),
      ("text", #""prompt": "p""#, "prompt"), ("text", #""score": 1, "weight": 2"#, "weight"),
    ])
  func fieldsOfOtherFormatsAreRefused(form: String, field: String, name: String) throws {
    let own = try #require(Self.forms[form])
    let error = #expect(throws: DatasetError.self) { try read("{\(own), \(field)}") }
    #expect(error?.description.contains("has the field \"\(name)\", which changes") == true)
  }

  /// UltraChat has the prompt, UltraFeedback the messages of the chosen answer a second time.
  @Test func repeatedTextsSayNothingMore() throws {
    for record in [
      #"{\#(Self.chatFields), "prompt": "q", "prompt_id": "7", "response": "a"}"#,
      #"{"prompt": "q", "completion": "a", \#(Self.chatFields)}"#,
      #"{"prompt": "q", "chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "#
        + #""a"}], "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "#
        + #""b"}], \#(Self.chatFields)}"#,
      #"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}], "#
        + #""system_prompt": "s"}"#,
    ] {
      #expect(try read(record).unused.isEmpty, "\(record)")
    }
  }

  @Test func neutralValuesAndMetadataAreAccepted() throws {
    for form in Self.forms.values {
      let extra =
        #""id": 1, "prompt_id": "x", "source": "s", "url": "u", "language": "en", "#
        + #""created_at": 5, "weight": 1, "loss": true, "train_on_inputs": false, "is_correct": true, "#
        + #""images": [], "tools": null, "prefix": false"#
      #expect(try read("{\(form), \(extra)}").unused.isEmpty, "\(form)")
    }
    let table = "text,label,weight,is_correct,id\nt,x,1,True,9\n"
    #expect(try read(table, file: "a.csv").unused.isEmpty)
    let weighted = "text,label,weight\nt,x,0.5\n"
    #expect(throws: DatasetError.self) { try read(weighted, file: "a.csv") }
  }

  @Test func otherFieldsAreCountedAsNotUsed() throws {
    let set = try read(
      #"{"prompt": "q", "completion": "a", "score": 1, "quality": 2}"#,
      #"{"prompt": "r", "completion": "a", "score": 1}"#)
    #expect("\(set.unused)" == "score (2 records), quality (1 record)")
    let examples = try ExampleSet(set.train, chat: chat, options: ExampleOptions(context: 200))
    let statistics = examples.statistics.counting(set.skipped, set.unused)
    #expect(statistics.description.hasSuffix("; not used: score (2 records), quality (1 record)"))
  }

  @Test func remediesNameTheFieldThatIsRead() throws {
    func remedy(_ json: String) -> String? {
      let error = #expect(throws: DatasetError.self) { try read(json) }
      return error?.description
    }
    #expect(
      remedy(#"{\#(Self.chatFields), "system_prompt": "s"}"#)?.contains(
        "read it with data.fields: {system: system_prompt}, remove it, or name it in "
          + "data.ignoredFields") == true)
    #expect(
      remedy(#"{"prompt": "q", "answer": "4"}"#)?.contains("data.fields: {completion: answer}")
        == true)
    let system = try read(
      #"{\#(Self.chatFields), "system_prompt": "s"}"#, names: [("system", "system_prompt")])
    #expect(system.train[0].record.messages[0] == Message(.system, "s"))
  }

  /// OpenAI's, Axolotl's and XTuner's fields, whose example has the loss of the others alone.
  @Test(arguments: [
    #""weight": 0"#, #""train": false"#, #""loss": false"#, #""train_on_turn": false"#,
  ])
  func aMessageCanBeOutsideTheLoss(field: String) throws {
    func record(_ first: String) -> String {
      #"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "no"\#(first)}, "#
        + #"{"role": "user", "content": "r"}, {"role": "assistant", "content": "yes", "weight": 1}]}"#
    }
    let (all, masked) = (try read(record("")), try read(record(", \(field)")))
    #expect(all.identity != masked.identity)
    for template in [ChatTemplate.chatml, .plain] {
      let chat = ChatEncoder(template, tokenizer: ByteTokenizer())
      func example(_ set: RecordSet) throws -> EncodedExample {
        try ExampleSet(set.train, chat: chat, options: ExampleOptions(context: 300)).examples[0]
      }
      let (whole, part) = (try example(all), try example(masked))
      #expect(whole.ids == part.ids)
      func learned(_ example: EncodedExample) throws -> String {
        let ids = zip(example.ids, example.lossMask).filter(\.1).map(\.0)
        return String(decoding: try chat.tokenizer.decode(ids), as: UTF8.self)
      }
      #expect(try learned(whole).hasPrefix("no") && learned(whole).contains("yes"))
      #expect(try learned(part).hasPrefix("yes"))
    }
  }

  @Test func aTemplateWithGenerationMarksTakesWeightsToo() throws {
    let template =
      "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}"
      + "{{ m.content }}{{ eos_token }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}"
      + "{% endfor %}"
    let chat = ChatEncoder(
      try Self.published(template), tokenizer: ByteTokenizer())
    let messages = [
      Message(.user, "q"), Message(.assistant, "no", maskedBy: "messages[1].weight"),
      Message(.user, "r"), Message(.assistant, "yes"),
    ]
    let pieces = try chat.render(Conversation(messages))
    #expect(pieces.filter(\.isInLoss).map(\.text).joined().hasPrefix("yes"))
  }

  @Test func messagesWithAnotherMeaningAreRefused() throws {
    func defect(_ field: String, role: String) throws -> String {
      let other = role == "user" ? "assistant" : "user"
      let messages = ["user", "assistant"].map {
        #"{"role": "\#($0)", "content": "x"\#($0 == other ? "" : ", \(field)")}"#
      }
      let error = #expect(throws: DatasetError.self, "\(field)") {
        let set = try read(#"{"messages": [\#(messages.joined(separator: ", "))]}"#)
        _ = try ExampleSet(set.train, chat: chat, options: ExampleOptions(context: 300))
      }
      return error?.description ?? ""
    }
    for field in [
      "mask", "prefix", "train_detail", "images", "is_correct", "rank", "masked", "target",
      "reward",
      "loss_scale", "trainable", "prefill",
    ] {
      let value = field == "prefix" ? "true" : "[1]"
      let sentence = try defect("\"\(field)\": \(value)", role: "assistant")
      #expect(sentence.contains("the field \"messages[1].\(field)\""), "\(sentence)")
    }
    let fraction = try defect(#""weight": 0.5"#, role: "assistant")
    #expect(fraction.contains("number 0.5 in its field \"messages[1].weight\" where 0, which"))
    #expect(try defect(#""train": true"#, role: "user").contains("\"messages[0].train\""))
    #expect(try defect(#""weight": 1"#, role: "user").contains("\"messages[0].weight\""))
    #expect(try defect(#""weight": 0"#, role: "assistant").contains("has no answer in the loss"))
    // A user's message is never learned, whatever its weight.
    let user = #"{"role": "user", "content": "q", "weight": 0, "train": false}"#
    _ = try read(#"{"messages": [\#(user), {"role": "assistant", "content": "a"}]}"#)
    // A judged answer is learned as a whole.
    for record in [
      #"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "#
        + #""weight": 0}], "label": true}"#,
      #"{"prompt": [{"role": "user", "content": "q"}], "chosen": [{"role": "assistant", "content": "#
        + #""a", "weight": 0}], "rejected": [{"role": "assistant", "content": "b"}]}"#,
    ] {
      let error = #expect(throws: DatasetError.self) { try read(record) }
      #expect(error?.description.contains("weight\"") == true)
    }
  }

  @Test func marginsThatAreNotUsedAreRefused() throws {
    let options = ExampleOptions(context: 300)
    for margin in ["", #", "margin": 0"#, #", "margin": 2"#] {
      let set = try read(#"{"prompt": "q", "chosen": "a", "rejected": "b"\#(margin)}"#)
      #expect(throws: Never.self) { try PairSet(set.train, chat: chat, options: options) }
      if margin.contains("2") {
        let error = #expect(throws: DatasetError.self) {
          try PairSet(set.train, chat: chat, options: options, usesMargins: false)
        }
        #expect(error?.description.contains("\"margin\"") == true)
      } else {
        let set = try PairSet(set.train, chat: chat, options: options, usesMargins: false)
        #expect(set.margins == [0])
      }
    }
  }

  @Test func fieldsThatTheTemplateLeavesOutAreCounted() throws {
    func note(_ template: String, _ fields: String) throws -> String {
      let set = try read(
        #"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "#
          + #"\#(fields)}]}"#)
      let chat = ChatEncoder(
        try Self.published(template), tokenizer: ByteTokenizer())
      let examples = try ExampleSet(set.train, chat: chat, options: ExampleOptions(context: 300))
      return examples.statistics.description
    }
    let plain = "{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}"
    let thinking =
      "{% for m in messages %}{% if m.reasoning_content %}<{{ m.reasoning_content }}>"
      + "{% endif %}{{ m.content }}{{ eos_token }}{% endfor %}"
    let left =
      "the chat template leaves out reasoning_content (1 record), which the model does not see"
    #expect(try note(plain, #""reasoning_content": "r""#).hasSuffix(left))
    #expect(try !note(thinking, #""reasoning_content": "r""#).contains("leaves out"))
    #expect(try !note(plain, #""id": "7""#).contains("leaves out"))
    #expect(try note(thinking, #""mood": "m""#).contains("leaves out mood (1 record)"))
  }
}
