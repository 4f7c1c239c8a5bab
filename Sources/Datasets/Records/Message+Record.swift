import Files
import Foundation
import Tokenizers

extension Message {
  /// The names of the roles in OpenAI's, ShareGPT's and LLaMA-Factory's files.
  private static let roles: [String: Role] = [
    "system": .system, "user": .user, "human": .user, "assistant": .assistant,
    "gpt": .assistant, "function_call": .assistant, "tool": .tool, "observation": .tool,
  ]

  /// The names of roles in other files, in small letters, that are not read.
  private static let synonyms: [String: Role] = [
    "developer": .system, "instructions": .system, "system_prompt": .system,
    "customer": .user, "instruction": .user, "prompt": .user, "prompter": .user, "question": .user,
    "ai": .assistant, "answer": .assistant, "bard": .assistant, "bing": .assistant,
    "bot": .assistant, "chatbot": .assistant, "chatgpt": .assistant, "completion": .assistant,
    "llm": .assistant, "model": .assistant, "response": .assistant,
    "environment": .tool, "function": .tool, "function_response": .tool, "ipython": .tool,
    "tool_response": .tool, "tool_result": .tool,
  ]

  /// Returns the role that an unknown `name` means; nil when it is not known to mean one.
  static func role(meantBy name: String) -> Role? {
    let name = name.trimmingCharacters(in: .whitespaces).lowercased()
    return name == "function_call" ? nil : roles[name] ?? synonyms[name]
  }

  /// The fields of a message that `data.fields` can name.
  static let mappedFields = ["role", "content"]

  /// The fields that hold role and content, which a template does not read as other fields.
  private static let ownFields: Set<String> = ["role", "from", "content", "value"]

  /// Reads a message from OpenAI's `role` and `content`, or ShareGPT's `from` and `value`.
  ///
  /// A content is a text or a list of text parts, and may be missing beside tool calls. All other
  /// fields are kept for the template, except null ones, which transformers leaves out too. A message of
  /// the assistant with `weight: 0` or `train: false` is not in the loss.
  init(_ element: JSONValue, field: String, names: FieldNames) throws(RecordDefect) {
    guard let members = element.members else {
      throw .wrongKind(field: field, found: element.kind, expected: "a message")
    }
    let names = names.ofMessages
    let inFile = members.filter { !$0.value.isNull }.map { (name: $0.key, value: $0.value) }
    let known = names.renamed(inFile)
    try names.refuseOwnNames(in: known, missing: names.missing(in: inFile))
    let own = JSONValue.object(known.map { (key: $0.name, value: $0.value) })
    func value(_ names: [String]) -> (name: String, value: JSONValue)? {
      names.lazy.compactMap { name in own[name].map { (name, $0) } }.first
    }
    func wrong(_ name: String, _ found: JSONValue?, _ expected: String) -> RecordDefect {
      .wrongKind(field: "\(field).\(name)", found: found?.kind ?? "nothing", expected: expected)
    }
    let named = value(["role", "from"])
    guard let name = named?.value.string else {
      throw wrong(named?.name ?? "role", named?.value, "a text")
    }
    guard let role = Self.roles[name] else { throw .unknownRole(name) }
    let masks = try Self.masks(own.members ?? [], role, field: field)
    var fields =
      own.members?.filter {
        !Self.ownFields.contains($0.key) && !FieldMeaning.inLoss.contains($0.key)
      } ?? []
    let content = value(["content", "value"])
    if name == "function_call" {
      guard let text = content?.value.string,
        let call = try? JSONReader.read(Array(text.utf8)), let calls = Self.toolCalls(call)
      else {
        throw wrong(
          content?.name ?? "value", content?.value, "a call with name and arguments in JSON")
      }
      self.init(
        .assistant, parts: nil, fields: .object(fields + [(Self.toolCallsField, calls)]),
        maskedBy: masks)
      return
    }
    if let calls = own[Self.toolCallsField] {
      guard role == .assistant, calls.array?.allSatisfy({ $0.members != nil }) == true else {
        throw wrong(
          Self.toolCallsField, calls,
          role == .assistant ? "a list of calls" : "nothing, as only the assistant calls tools,")
      }
      if calls.array?.isEmpty == true { fields.removeAll { $0.key == Self.toolCallsField } }
    }
    let rest = JSONValue.object(fields)
    for (name, value) in fields where value.hasInexactNumber {
      throw .inexactNumber(field: "\(field).\(name)")
    }
    switch content?.value {
    case .string(let text)?: self.init(role, text, fields: rest, maskedBy: masks)
    case .array(let parts)?:
      self.init(
        role, parts: try Self.texts(parts, field: "\(field).\(content?.name ?? "")"), fields: rest,
        maskedBy: masks)
    case nil where own[Self.toolCallsField]?.array?.isEmpty == false:
      self.init(role, parts: nil, fields: rest, maskedBy: masks)
    default:
      throw wrong(content?.name ?? "content", content?.value, "a text")
    }
  }

  /// Returns the field of an assistant's message that takes it out of the loss; nil when it is in it.
  ///
  /// Throws `RecordDefect.unusedField` for a field of `members` that changes what is learned in another
  /// way.
  private static func masks(
    _ members: [(key: String, value: JSONValue)], _ role: Role, field: String
  ) throws(RecordDefect) -> String? {
    var masks: String?
    for (name, value) in members {
      let isOfLoss = FieldMeaning.inLoss.contains(name)
      if isOfLoss, value == .bool(false) || value.number == 0 {
        if role == .assistant { masks = masks ?? "\(field).\(name)" }
      } else if isOfLoss, role == .assistant, value.number.map({ $0 != 1 }) ?? false {
        throw .wrongKind(
          field: "\(field).\(name)", found: "the number \(value.number ?? 0)",
          expected: "0, which takes the message out of the loss, or 1")
      } else if FieldMeaning.changesMessage(name, value)
        || isOfLoss && role != .assistant && !FieldMeaning.isNeutral(value, for: "")
      {
        throw .unusedField(
          "\(field).\(name)", form: "messages of the \(role.rawValue)",
          remedy: "weight: 0 takes a message of the assistant out of the loss; remove the field or "
            + "name it in data.ignoredFields")
      }
    }
    return masks
  }

  /// Returns the texts of the parts of a content.
  private static func texts(
    _ parts: [JSONValue], field: String
  ) throws(RecordDefect) -> [String] {
    var texts: [String] = []
    for part in parts {
      let type = part["type"]?.string
      if let type, type != "text" { throw .unsupportedPart(type, field: field) }
      guard type != nil, let text = part["text"]?.string else {
        throw .wrongKind(
          field: field, found: "a list with \(part.kind)",
          expected: "a text or a list of text parts")
      }
      texts.append(text)
    }
    return texts
  }

  /// Returns LLaMA-Factory's `call`, an object with name and arguments or a list of such, in OpenAI's
  /// form; nil for another value.
  private static func toolCalls(_ call: JSONValue) -> JSONValue? {
    let calls = call.array ?? [call]
    guard !calls.isEmpty, calls.allSatisfy({ $0["name"]?.string != nil && $0["arguments"] != nil })
    else { return nil }
    return .array(calls.map { ["type": "function", "function": $0] })
  }
}
